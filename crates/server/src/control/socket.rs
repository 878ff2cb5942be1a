//! The socket: made at the start, gone at the end, answered by a task for each connection.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dayfly_store::{KeyStore, Keys, TempKeys};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::desk::Desk;
use super::{CONTROL_FILE, ControlError};
use crate::upstream::Edge;

/// How many may ask at once; more wait.
const AT_ONCE: usize = 16;
/// After a failed accept: no descriptors left, most likely.
const ACCEPT_AGAIN: std::time::Duration = std::time::Duration::from_millis(100);

/// The listening socket of a server; dropping it closes and removes it.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl ControlSocket {
    /// Listens in `directory`, for a server that keeps `keys` and is reached by `edge`. What an earlier server left there that did
    /// not end well is replaced.
    ///
    /// # Errors
    /// [`ControlError`], also when something else is in the way.
    pub fn open<K: KeyStore, T: TempKeys>(
        directory: &Path,
        keys: Arc<Keys<K, T>>,
        edge: Edge,
    ) -> Result<Self, ControlError> {
        let path = directory.join(CONTROL_FILE);
        let listener = bind(&path)?;
        let task = tokio::spawn(accept(listener, Desk { keys, edge }));
        Ok(Self { path, task })
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.task.abort();
        // Gone already, perhaps; the next start replaces what is left.
        let _ = fs::remove_file(&self.path);
    }
}

fn bind(path: &Path) -> Result<UnixListener, ControlError> {
    let failed = |source| ControlError::Io { path: path.to_owned(), source };
    make_room(path)?;
    let listener = UnixListener::bind(path).map_err(failed)?;
    // Until this is done others may get as far as the look at who they are.
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Removes the socket of a server that is no more.
fn make_room(path: &Path) -> Result<(), ControlError> {
    let failed = |source| ControlError::Io { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ControlError::InTheWay { path: path.to_owned() });
        }
        Ok(_) => {}
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(ControlError::Taken { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

async fn accept<K: KeyStore, T: TempKeys>(listener: UnixListener, desk: Desk<K, T>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        // Fails only if the semaphore were closed, which nobody does.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection to the control socket could not be accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        if !is_ours(&stream) {
            continue;
        }
        let desk = desk.clone();
        tokio::spawn(async move {
            if let Err(error) = desk.serve(stream).await {
                tracing::debug!(%error, "a connection to the control socket ended");
            }
            drop(place);
        });
    }
}

/// Whether the server's own user or root asks, whatever the mode of the file says.
fn is_ours(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    match stream.peer_cred().map(|asks| asks.uid()) {
        Ok(uid) if may_ask(uid, own) => true,
        Ok(uid) => {
            tracing::warn!(uid, "another user was refused at the control socket");
            false
        }
        Err(error) => {
            tracing::warn!(%error, "nobody knows who asks at the control socket");
            false
        }
    }
}

fn may_ask(uid: u32, own: u32) -> bool {
    uid == own || uid == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_user_and_root_may_ask_and_nobody_else() {
        assert!(may_ask(1000, 1000) && may_ask(0, 1000));
        assert!(!may_ask(1001, 1000) && !may_ask(1000, 0));
    }

    #[tokio::test]
    async fn what_a_dead_server_left_is_replaced_and_anything_else_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(CONTROL_FILE);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listener = bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(bind(&path), Err(ControlError::Taken { .. })));
        drop(listener);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "mine").unwrap();
        assert!(matches!(bind(&path), Err(ControlError::InTheWay { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
