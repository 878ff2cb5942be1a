//! All readable memory of another process.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};

use crate::needles::{Found, Needles};

/// One line of `/proc/PID/maps`.
struct Map {
    start: u64,
    end: u64,
    line: String,
}

impl Map {
    fn parse(line: &str) -> Option<Self> {
        let (range, rights) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
        // The two pages that the kernel shares with every process cannot be read this way and hold nothing of it.
        let kernels =
            line.ends_with("[vvar]") || line.ends_with("[vvar_vclock]") || line.ends_with("[vsyscall]");
        (rights.starts_with('r') && !kernels).then(|| Self { start, end, line: line.to_owned() })
    }
}

/// What of `needles` the process holds anywhere.
pub(crate) fn scan(pid: u32, needles: &Needles) -> Found {
    let mut found = Found::new();
    let mut memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut buffer = Vec::new();
    for map in readable_maps(pid) {
        buffer.resize((map.end - map.start) as usize, 0);
        memory.seek(SeekFrom::Start(map.start)).unwrap();
        match memory.read_exact(&mut buffer) {
            Ok(()) => needles.find(&buffer, &mut found, |offset| {
                format!("at {:x} in {}", map.start + offset as u64, map.line)
            }),
            // Unmapped meanwhile, or the test is not looking where it says it does.
            Err(error) => {
                assert!(!readable_maps(pid).iter().any(|now| now.line == map.line), "{}: {error}", map.line);
            }
        }
    }
    found
}

fn readable_maps(pid: u32) -> Vec<Map> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    maps.lines().filter_map(Map::parse).collect()
}
