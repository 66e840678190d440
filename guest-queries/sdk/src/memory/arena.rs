//! Cuts blocks from one fixed piece of memory. Owns which bytes are in use. Never: grows.
//!
//! Blocks are cut from the front. Freed blocks of up to [`LARGEST_CLASS`] bytes are kept
//! in lists by size and reused, so that few pages are touched; larger ones in one list, in
//! which neighbours become one. The last block goes back to the rest, whatever its size.
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

/// What stands in a free block. Fits any block: no larger than a grain, aligned no more.
#[derive(Clone, Copy)]
struct FreeBlock {
    next: Link,
    /// In bytes.
    size: usize,
}

const _: () = assert!(size_of::<FreeBlock>() <= GRAIN && align_of::<FreeBlock>() <= GRAIN);

#[repr(C, align(16))]
struct Memory<const SIZE: usize>(UnsafeCell<[MaybeUninit<u8>; SIZE]>);

/// `SIZE` bytes and which of them are in use. For one thread.
///
/// Invariants: `next` is a multiple of the grain and at most `SIZE`; blocks in use and
/// blocks in lists do not overlap and lie in front of `next`; blocks in lists hold a
/// `FreeBlock`. Large blocks are listed by falling addresses, no two of them touch, and
/// none ends at `next`.
pub(super) struct Arena<const SIZE: usize> {
    memory: Memory<SIZE>,
    next: Cell<usize>,
    free: [Cell<Link>; CLASSES],
    large: Cell<Link>,
}

impl<const SIZE: usize> Arena<SIZE> {
    /// All of it unused; zeroes, so that a static one needs no bytes in the module.
    pub(super) const fn new() -> Self {
        assert!(SIZE.is_multiple_of(GRAIN));
        Self {
            memory: Memory(UnsafeCell::new([MaybeUninit::zeroed(); SIZE])),
            next: Cell::new(0),
            free: [const { Cell::new(None) }; CLASSES],
            large: Cell::new(None),
        }
    }

    /// A block of that layout with undefined contents; None when there is no room for it,
    /// or when it is aligned more than to a grain, which is rare.
    pub(super) fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        if layout.align() > GRAIN {
            return None;
        }
        let size = block_size(layout.size())?;
        let reused = match self.list_of(size) {
            Some(list) => list.get().inspect(|block| {
                // SAFETY: a block in a list holds a `FreeBlock`.
                list.set(unsafe { block.read() }.next);
            }),
            None => self.take_large(size),
        };
        if let Some(block) = reused {
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
        let block = block.cast::<FreeBlock>();
        if start + size == self.next.get() {
            self.next.set(start);
            self.shorten();
        } else if let Some(list) = self.list_of(size) {
            // SAFETY: the bytes are at least a grain and aligned to one, which a `FreeBlock`
            // fits; nobody else refers to them, as the caller promises.
            unsafe { block.write(FreeBlock { next: list.get(), size }) };
            list.set(Some(block));
        } else {
            // SAFETY: as the caller promises.
            unsafe { self.keep_large(block, size) };
        }
    }

    /// Takes the first large block that is large enough out of its list.
    fn take_large(&self, size: usize) -> Link {
        let (mut above, mut here) = (None, self.large.get());
        while let Some(block) = here {
            // SAFETY: a block in a list holds a `FreeBlock`.
            let found = unsafe { block.read() };
            if found.size >= size {
                self.link_large(above, found.next);
                if found.size > size {
                    // SAFETY: what is over is free, as the whole block was, and begins and
                    // ends at multiples of the grain.
                    unsafe { self.give_back(block.cast().byte_add(size), found.size - size) };
                }
                return Some(block);
            }
            (above, here) = (here, found.next);
        }
        None
    }

    /// Puts a large block into its list, as one with the neighbours that are free too.
    ///
    /// # Safety
    ///
    /// As for `give_back`; the bytes do not end at `next`.
    unsafe fn keep_large(&self, block: NonNull<FreeBlock>, mut size: usize) {
        let at = block.addr().get();
        let (mut further, mut above, mut below) = (None, None, self.large.get());
        while let Some(other) = below.filter(|other| other.addr().get() > at) {
            // SAFETY: a block in a list holds a `FreeBlock`.
            (further, above, below) = (above, below, unsafe { other.read() }.next);
        }
        if let Some(higher) = above.filter(|higher| higher.addr().get() == at + size) {
            // SAFETY: a block in a list holds a `FreeBlock`.
            size += unsafe { higher.read() }.size;
            above = further;
        }
        let (mut begin, mut free) = (block, FreeBlock { next: below, size });
        if let Some(lower) = below {
            // SAFETY: a block in a list holds a `FreeBlock`.
            let its = unsafe { lower.read() };
            if lower.addr().get() + its.size == at {
                (begin, free) = (lower, FreeBlock { next: its.next, size: its.size + size });
            }
        }
        // SAFETY: the bytes are free, at least a grain and aligned to one.
        unsafe { begin.write(free) };
        self.link_large(above, Some(begin));
    }

    /// Makes `link` follow the large block `above`, or begin the list.
    fn link_large(&self, above: Link, link: Link) {
        match above {
            // SAFETY: `above` is in the list, so it holds a `FreeBlock` that nobody else
            // refers to.
            Some(mut above) => unsafe { above.as_mut() }.next = link,
            None => self.large.set(link),
        }
    }

    /// Gives the highest large block back to the rest if it ends there now.
    fn shorten(&self) {
        if let Some(block) = self.large.get() {
            // SAFETY: a block in a list holds a `FreeBlock`.
            let FreeBlock { next, size } = unsafe { block.read() };
            let start = self.offset(block.cast());
            if start + size == self.next.get() {
                self.next.set(start);
                self.large.set(next);
            }
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
