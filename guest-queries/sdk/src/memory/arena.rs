//! Cuts blocks from one fixed piece of memory. Owns which bytes are in use. Never: grows.
//!
//! Blocks are cut from the front. Freed blocks of up to [`LARGEST_CLASS`] bytes are kept
//! in lists by size and reused, so that few pages are touched. The last block goes back
//! to the rest, whatever its size. Larger blocks that are freed in another order are lost.
#![expect(unsafe_code, reason = "an allocator hands out raw memory; each block says why it may")]

use std::alloc::Layout;
use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// All blocks begin at a multiple of this and are a multiple of it long.
const GRAIN: usize = 16;

/// The largest blocks that are kept in lists, in bytes.
const LARGEST_CLASS: usize = 1024;

/// One list for each size, from one grain up.
const CLASSES: usize = LARGEST_CLASS / GRAIN;

/// The first free block of a list, or the next one.
type Link = Option<NonNull<FreeBlock>>;

/// What stands in a free block. Fits any block: smaller than a grain and aligned less.
struct FreeBlock {
    next: Link,
}

const _: () = assert!(size_of::<FreeBlock>() <= GRAIN && align_of::<FreeBlock>() <= GRAIN);

#[repr(C, align(16))]
struct Memory<const SIZE: usize>(UnsafeCell<[MaybeUninit<u8>; SIZE]>);

/// `SIZE` bytes and which of them are in use. For one thread.
///
/// Invariants: `next` is a multiple of the grain and at most `SIZE`; blocks in use and
/// blocks in lists do not overlap and lie in front of `next`.
pub(super) struct Arena<const SIZE: usize> {
    memory: Memory<SIZE>,
    next: Cell<usize>,
    free: [Cell<Link>; CLASSES],
}

impl<const SIZE: usize> Arena<SIZE> {
    /// All of it unused; zeroes, so that a static one needs no bytes in the module.
    pub(super) const fn new() -> Self {
        assert!(SIZE.is_multiple_of(GRAIN));
        Self {
            memory: Memory(UnsafeCell::new([MaybeUninit::zeroed(); SIZE])),
            next: Cell::new(0),
            free: [const { Cell::new(None) }; CLASSES],
        }
    }

    /// A block of that layout with undefined contents; None when there is no room for it,
    /// or when it is aligned more than to a grain, which is rare.
    pub(super) fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        if layout.align() > GRAIN {
            return None;
        }
        let size = block_size(layout.size())?;
        if let Some(list) = self.list_of(size)
            && let Some(block) = list.get()
        {
            // SAFETY: a block in a list is not in use, lies within the memory, and holds
            // the `FreeBlock` that `release` wrote. Nobody else refers to it.
            list.set(unsafe { block.as_ref() }.next);
            return Some(block.cast());
        }
        let start = self.next.get();
        let end = start.checked_add(size).filter(|&end| end <= SIZE)?;
        self.next.set(end);
        // SAFETY: `start` is less than `SIZE`, so the pointer stays within the memory.
        NonNull::new(unsafe { self.base().add(start) })
    }

    /// Whether a block is this arena's.
    pub(super) fn contains(&self, block: *const u8) -> bool {
        // Wraps to a large number in front of the memory.
        block.addr().wrapping_sub(self.base().addr()) < SIZE
    }

    /// Takes a block back.
    ///
    /// # Safety
    ///
    /// The block is in use, comes from this arena, and has this layout's size now.
    pub(super) unsafe fn release(&self, block: NonNull<u8>, layout: Layout) {
        // Never fails: the block was allocated with this layout.
        let Some(size) = block_size(layout.size()) else { return };
        // SAFETY: the whole block is the caller's to give back.
        unsafe { self.give_back(block, size) }
    }

    /// Makes `size` bytes, a multiple of the grain, available again.
    ///
    /// # Safety
    ///
    /// They begin at a multiple of the grain, lie in front of `next`, and nobody uses them.
    unsafe fn give_back(&self, block: NonNull<u8>, size: usize) {
        let start = self.offset(block);
        if start + size == self.next.get() {
            self.next.set(start);
        } else if let Some(list) = self.list_of(size) {
            let link = block.cast::<FreeBlock>();
            // SAFETY: the bytes are at least a grain and aligned to one, which a `FreeBlock`
            // fits; nobody else refers to them, as the caller promises.
            unsafe { link.write(FreeBlock { next: list.get() }) };
            list.set(Some(link));
        }
    }

    /// Makes a block smaller or larger where it is, if that can be.
    ///
    /// # Safety
    ///
    /// The block is in use, comes from this arena, and has this layout's size now.
    pub(super) unsafe fn resize(&self, block: NonNull<u8>, layout: Layout, to: usize) -> bool {
        let (Some(old), Some(new)) = (block_size(layout.size()), block_size(to)) else {
            return false;
        };
        let start = self.offset(block);
        if start + old == self.next.get() {
            // The last block: only what was never handed out lies behind it.
            let Some(end) = start.checked_add(new).filter(|&end| end <= SIZE) else {
                return false;
            };
            self.next.set(end);
            return true;
        }
        if new < old {
            // SAFETY: the end of the block, from the new size on, is within the block and
            // not used any more; both sizes are multiples of the grain.
            unsafe { self.give_back(block.add(new), old - new) };
        }
        new <= old
    }

    fn list_of(&self, size: usize) -> Option<&Cell<Link>> {
        self.free.get(size / GRAIN - 1)
    }

    fn offset(&self, block: NonNull<u8>) -> usize {
        block.addr().get() - self.base().addr()
    }

    fn base(&self) -> *mut u8 {
        self.memory.0.get().cast()
    }
}

/// The size of the block that holds so many bytes: at least one grain.
fn block_size(bytes: usize) -> Option<usize> {
    bytes.max(1).checked_next_multiple_of(GRAIN)
}

#[cfg(test)]
mod tests;
