//! Attacks on the host's time, memory, stack and log.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Component;
use crate::bindings::avenire::database::diagnostics::{self, Level};
use crate::bindings::avenire::database::sql;
use crate::bindings::exports::test::hostile::attacks::Guest;

/// What one step of the memory bombs asks for.
const CHUNK: usize = 64 << 10;

static CALLS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static KEPT: Cell<Option<Box<u32>>> = const { Cell::new(None) };
}

impl Guest for Component {
    fn loop_forever() {
        loop_forever();
    }

    fn hammer_forever() {
        loop {
            let _ = black_box(sql::execute("", &[]));
        }
    }

    fn allocate_forever() {
        let mut kept = Vec::new();
        loop {
            kept.push(black_box(vec![1_u8; CHUNK]));
        }
    }

    fn allocate(bytes: u64) -> u64 {
        let mut kept: Vec<Vec<u8>> = Vec::new();
        let mut had = 0;
        while had < bytes {
            let mut chunk = Vec::new();
            if kept.try_reserve(1).is_err() || chunk.try_reserve_exact(CHUNK).is_err() {
                break;
            }
            chunk.resize(CHUNK, 1);
            kept.push(black_box(chunk));
            had += CHUNK as u64;
        }
        had
    }

    fn recurse_forever() -> u64 {
        recurse(0)
    }

    fn recurse_with_variables() -> u64 {
        recurse_with_variables(0)
    }

    fn panic(message: String) {
        panic(&message);
    }

    fn panic_silently() {
        std::panic::set_hook(Box::new(|_| {}));
        panic!("nobody hears this");
    }

    fn cry_wolf() -> String {
        diagnostics::panicked("not at all");
        "alive".to_owned()
    }

    fn trap_unreachable() {
        #[cfg(target_family = "wasm")]
        std::arch::wasm32::unreachable();
    }

    fn huge_result(bytes: u64) -> Vec<u8> {
        vec![b'x'; size(bytes)]
    }

    fn many_values(count: u64) -> Vec<Vec<String>> {
        vec![Vec::new(); size(count)]
    }

    fn log_flood(messages: u32, bytes: u32) {
        let message = "\u{1b}[31mä\n".repeat(bytes as usize / 8);
        for _ in 0..messages {
            diagnostics::log(Level::Error, &message);
        }
    }

    fn remember() -> u32 {
        let on_heap = KEPT.take().map_or(0, |count| *count) + 1;
        KEPT.set(Some(Box::new(on_heap)));
        let in_static = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
        assert_eq!(on_heap, in_static, "both kinds of memory are one instance's");
        in_static
    }
}

/// Never returns.
pub(crate) fn loop_forever() -> ! {
    loop {
        black_box(0);
    }
}

/// Panics as a component written with the SDK does: the host hears why.
pub(crate) fn panic(message: &str) -> ! {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload().downcast_ref::<String>();
        diagnostics::panicked(message.map_or("", String::as_str));
    }));
    panic!("{message}");
}

/// A number of bytes or values from a test.
pub(crate) fn size(number: u64) -> usize {
    usize::try_from(number).expect("a number that fits this machine")
}

fn recurse(depth: u64) -> u64 {
    if black_box(depth) == u64::MAX {
        return depth;
    }
    black_box(recurse(black_box(depth + 1))) + 1
}

fn recurse_with_variables(depth: u64) -> u64 {
    let variables = black_box([depth; 512]);
    if black_box(depth) == u64::MAX {
        return depth;
    }
    black_box(recurse_with_variables(depth + 1)) + black_box(&variables).iter().sum::<u64>()
}
