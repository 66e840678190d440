//! Makes the arena the global allocator, for wasm without threads.
#![expect(unsafe_code, reason = "a global allocator is unsafe to implement; proofs are beside it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;

use super::arena::Arena;

/// Bytes of the arena.
const ARENA: usize = 1 << 20;

#[global_allocator]
static ALLOCATOR: ArenaFirst = ArenaFirst(Arena::new());

struct ArenaFirst(Arena<ARENA>);

// SAFETY: this file is only compiled for wasm without atomics, where there is one thread.
unsafe impl Sync for ArenaFirst {}

// SAFETY: every block comes from the arena or from the standard allocator, both of which
// hand out blocks of the layout asked for that nobody else has. Which one it was shows in
// the block's address, and it gets the block back with the layout it has.
unsafe impl GlobalAlloc for ArenaFirst {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.0.allocate(layout) {
            Some(block) => block.as_ptr(),
            // SAFETY: the caller's promise on the layout is handed on.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match self.0.allocate(layout) {
            Some(block) => {
                // SAFETY: the block is at least that long and nobody else has it.
                unsafe { block.write_bytes(0, layout.size()) };
                block.as_ptr()
            }
            // SAFETY: the caller's promise on the layout is handed on.
            None => unsafe { System.alloc_zeroed(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match NonNull::new(block).filter(|_| self.0.contains(block)) {
            // SAFETY: the block is in use and has this layout, as the caller promises, and
            // it is the arena's.
            Some(block) => unsafe { self.0.release(block, layout) },
            // SAFETY: it is not the arena's, so it is the standard allocator's.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Some(old) = NonNull::new(block).filter(|_| self.0.contains(block)) else {
            // SAFETY: it is not the arena's, so it is the standard allocator's.
            return unsafe { System.realloc(block, layout, new_size) };
        };
        // SAFETY: the block is in use and has this layout, as the caller promises, and it is
        // the arena's.
        if unsafe { self.0.resize(old, layout, new_size) } {
            return block;
        }
        // SAFETY: the caller promises that the new size, rounded up to the alignment, does
        // not overflow, which is all that a layout asks for.
        let moved = unsafe {
            let new_layout = Layout::from_size_align_unchecked(new_size, layout.align());
            self.alloc(new_layout)
        };
        if !moved.is_null() {
            // SAFETY: both blocks are in use and at least that long, and they are different
            // blocks. The old one is not used afterwards, as the caller promises.
            unsafe {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                self.0.release(old, layout);
            }
        }
        moved
    }
}
