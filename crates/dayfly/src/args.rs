//! The command line.

#[cfg(feature = "check")]
pub(crate) mod check;
#[cfg(feature = "lab")]
pub(crate) mod lab;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use zeroize::Zeroizing;

/// MTProto authorization keys with perfect forward secrecy, for both ends of the wire.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Server and client in one process: both keys, the binding, calls, renewal and recovery, each step shown
    Demo(Demo),
    /// Run the server
    Serve(Serve),
    /// Run a client session: both keys, the binding, help.getConfig and help.getNearestDc
    Connect(Connect),
    /// Make an RSA key for a server
    Keygen(Keygen),
    /// Show the fingerprint of an RSA key
    Fingerprint(Fingerprint),
    /// Look after permanent keys, in a server that runs or in its store
    #[command(subcommand)]
    Keys(Keys),
    /// Prove a server or a client right or wrong, rule by rule
    #[cfg(feature = "check")]
    #[command(subcommand)]
    Check(check::Check),
    /// Run an offline server for the tests of a client library: scripted faults, a clock to set, a transcript of everything
    #[cfg(feature = "lab")]
    Lab(lab::Lab),
    /// Show a recorded exchange field by field
    #[cfg(feature = "lab")]
    Decode(lab::Decode),
    /// Print the completions of a shell
    Completions(Completions),
    /// Write the man pages of this command and all below it
    Man(ManPages),
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Print one JSON object a step instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Settings in TOML; what stands here on the command line wins over the file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:4430]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where the RSA key and the store are kept [default: dayfly-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// What old clients need, at the price of safety
    #[arg(long, value_delimiter = ',', value_name = "WHAT")]
    pub(crate) allow: Vec<AllowArg>,
    /// Append a JSON line for each thing that happens; no secrets
    #[arg(long, value_name = "FILE")]
    pub(crate) event_log: Option<PathBuf>,
    /// Read the settings and the files that they name, say whether they are right, and stop
    #[arg(long)]
    pub(crate) check_config: bool,
    /// Print a configuration with every default and what each setting does, and stop
    #[arg(long)]
    pub(crate) print_config: bool,
    /// Log as JSON lines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AllowArg {
    /// Calls under a permanent key, without forward secrecy: Telethon, gramjs, grammers
    NoPfs,
    /// The RSA scheme before RSA_PAD: Telethon, Pyrogram, gogram
    OldRsa,
}

#[derive(Args, Debug)]
pub(crate) struct Connect {
    /// The server's address; none with an MTProxy, which finds the DC by its id
    #[arg(value_name = "ADDR", required_unless_present = "proxy")]
    pub(crate) address: Option<String>,
    /// Go through a proxy: socks5://HOST:PORT, or with USER:PASSWORD@ in front of HOST, or the link of an MTProxy,
    /// tg://proxy?server=HOST&port=PORT&secret=SECRET; in the environment nobody else sees its password or secret
    #[arg(long, value_name = "PROXY", env = "DAYFLY_PROXY", hide_env_values = true)]
    pub(crate) proxy: Option<ProxyText>,
    /// The server's public RSA key, in PEM
    #[arg(long, value_name = "PEM")]
    pub(crate) server_key: PathBuf,
    /// Keep the permanent key in this file, mode 0600; without it every run makes a new one
    #[arg(long, value_name = "FILE")]
    pub(crate) session: Option<PathBuf>,
    /// The id of the DC; 10000 added for a test server, negative for a media DC
    #[arg(long, default_value_t = 2, allow_negative_numbers = true)]
    pub(crate) dc: i32,
    /// The transport
    #[arg(long, value_enum, default_value_t = TransportArg::Intermediate)]
    pub(crate) transport: TransportArg,
    /// Do not obfuscate the transport; the full one never is
    #[arg(long)]
    pub(crate) plain: bool,
    /// How long the temporary key shall live, in seconds
    #[arg(long, default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) expires_in: u32,
    /// Give up after so many seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// Print one JSON object a step instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// A proxy as it was typed. Read later: what clap says of a wrong value repeats it, and there is a secret in it.
#[derive(Clone)]
pub(crate) struct ProxyText(pub(crate) Zeroizing<String>);

impl fmt::Debug for ProxyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyText(..)")
    }
}

impl From<&str> for ProxyText {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum TransportArg {
    Abridged,
    Intermediate,
    Padded,
    Full,
}

#[derive(Args, Debug)]
pub(crate) struct Keygen {
    /// Where to write the private key, mode 0600; the public one goes beside it with the ending .pub.pem
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Fingerprint {
    /// An RSA key in PEM, private or public, PKCS#1, PKCS#8 or SPKI
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct ManPages {
    /// The directory, which is made if there is none
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List permanent keys: id, DC, when made, when last used
    List {
        #[command(flatten)]
        place: Place,
        /// Print one JSON object a key
        #[arg(long)]
        json: bool,
    },
    /// End a permanent key for ever
    Revoke {
        #[command(flatten)]
        place: Place,
        /// The key's id, 16 hex digits as `list` shows them
        #[arg(value_name = "ID", value_parser = parse_key_id)]
        id: u64,
    },
    /// Seal the store with a new key; the server has to be stopped
    Reseal {
        #[command(flatten)]
        place: Place,
    },
    /// Write all permanent keys to a file, sealed under a passphrase; the server has to be stopped
    Export {
        #[command(flatten)]
        place: Place,
        /// The file to make, mode 0600; one that is there is left as it is
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Read the passphrase from the first line of this file, mode 0600, instead of asking for it
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Take in the permanent keys of an export, all or none; the server has to be stopped
    Import {
        #[command(flatten)]
        place: Place,
        /// The file to read
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Read the passphrase from the first line of this file, mode 0600, instead of asking for it
        #[arg(long, value_name = "FILE", conflicts_with = "plain")]
        passphrase_file: Option<PathBuf>,
        /// FILE holds keys in the clear, a JSON object a line: {"key": "512 hex digits", "dc": 2, "created_at": 1700000000}
        #[arg(long)]
        plain: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The settings of the server whose store it is
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The data directory [default: dayfly-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

fn parse_key_id(text: &str) -> Result<u64, String> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parsed = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
    parsed.ok_or_else(|| "expected 16 hex digits, as `dayfly keys list` shows them".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_key_id_has_16_hex_digits() {
        assert_eq!(parse_key_id("00000000000000ff"), Ok(255));
        assert!(parse_key_id("ff").is_err());
        assert!(parse_key_id("+0000000000000ff").is_err());
    }
}
