//! That blocks never overlap, and what is reused.

use super::*;

type Small = Arena<4096>;
type Large = Arena<32_768>;

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).unwrap()
}

fn allocate<const SIZE: usize>(arena: &Arena<SIZE>, size: usize) -> NonNull<u8> {
    let block = arena.allocate(layout(size)).expect("room");
    assert!(arena.contains(block.as_ptr()));
    assert!(block.addr().get().is_multiple_of(GRAIN));
    block
}

/// Only for blocks that are in use and of that size.
fn release<const SIZE: usize>(arena: &Arena<SIZE>, block: NonNull<u8>, size: usize) {
    // SAFETY: the tests release each block once, with its size.
    unsafe { arena.release(block, layout(size)) }
}

fn resize<const SIZE: usize>(
    arena: &Arena<SIZE>,
    block: NonNull<u8>,
    from: usize,
    to: usize,
) -> bool {
    // SAFETY: the tests resize blocks in use, with their size.
    unsafe { arena.resize(block, layout(from), to) }
}

#[test]
fn freed_blocks_are_reused_by_their_size() {
    let arena = Small::new();
    let (first, second) = (allocate(&arena, 40), allocate(&arena, 40));
    let _last = allocate(&arena, 8);
    release(&arena, first, 40);
    release(&arena, second, 40);
    let used = arena.next.get();
    assert_eq!(allocate(&arena, 48), second);
    assert_eq!(allocate(&arena, 33), first);
    assert_eq!(arena.next.get(), used);
}

#[test]
fn the_last_block_goes_back_whatever_its_size() {
    let arena = Small::new();
    let first = allocate(&arena, 3000);
    release(&arena, first, 3000);
    assert_eq!(arena.next.get(), 0);
    assert_eq!(allocate(&arena, 4096), first);
    assert!(arena.allocate(layout(1)).is_none());
}

#[test]
fn the_last_block_grows_where_it_is_and_others_do_not() {
    let arena = Small::new();
    let first = allocate(&arena, 16);
    let last = allocate(&arena, 16);
    assert!(!resize(&arena, first, 16, 17));
    assert!(resize(&arena, last, 16, 4080));
    assert!(!resize(&arena, last, 4080, 4081));
    assert!(resize(&arena, last, 4080, 16));
    assert_eq!(allocate(&arena, 16), last.map_addr(|at| at.checked_add(16).unwrap()));
}

#[test]
fn what_a_shrinking_block_gives_up_is_used_again() {
    let arena = Small::new();
    let first = allocate(&arena, 64);
    let _last = allocate(&arena, 8);
    assert!(resize(&arena, first, 64, 20));
    assert_eq!(allocate(&arena, 32), first.map_addr(|at| at.checked_add(32).unwrap()));
}

#[test]
fn large_blocks_become_one_with_their_neighbours() {
    let arena = Small::new();
    let blocks = [1200, 1104, 1152].map(|size| (allocate(&arena, size), size));
    let _last = allocate(&arena, 8);
    let [first, second, third] = blocks;
    for (block, size) in [first, third, second] {
        release(&arena, block, size);
    }
    let whole = allocate(&arena, 1200 + 1104 + 1152);
    assert_eq!(whole, first.0);
    release(&arena, whole, 1200 + 1104 + 1152);
    // What is over of a large block is there for others.
    assert_eq!(allocate(&arena, 2000), first.0);
    assert_eq!(allocate(&arena, 1440), first.0.map_addr(|at| at.checked_add(2000).unwrap()));
}

#[test]
fn a_free_large_block_goes_back_when_the_last_one_does() {
    let arena = Small::new();
    let (large, last) = (allocate(&arena, 2000), allocate(&arena, 8));
    release(&arena, large, 2000);
    release(&arena, last, 8);
    assert_eq!(arena.next.get(), 0);
    assert!(arena.large.get().is_none());
}

#[test]
fn what_does_not_fit_is_refused() {
    let arena = Small::new();
    assert!(arena.allocate(layout(4097)).is_none());
    assert!(arena.allocate(Layout::from_size_align(32, 32).unwrap()).is_none());
    assert!(arena.allocate(layout(isize::MAX as usize - 7)).is_none());
    assert!(!arena.contains(&raw const *Box::new(0_u8)));
}

/// Thousands of steps by a small generator (Knuth's constants for 64 bits): each block is
/// filled with its own number and must still hold it when it is freed or resized.
#[test]
fn blocks_in_use_never_overlap() {
    let arena = Large::new();
    let mut blocks: Vec<(NonNull<u8>, usize, u8)> = Vec::new();
    let mut allocated = 0;
    let mut state = 42_u64;
    let mut random = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for step in 0..20_000_usize {
        let mark = step.to_le_bytes()[0];
        match random(3) {
            0 | 1 => {
                let largest = if random(4) == 0 { 1800 } else { 90 };
                let size = 1 + random(largest);
                if let Some(block) = arena.allocate(layout(size)) {
                    allocated += 1;
                    fill(block, size, mark);
                    blocks.push((block, size, mark));
                }
            }
            _ if blocks.is_empty() => {}
            _ => {
                let (block, size, mark) = blocks.swap_remove(random(blocks.len()));
                check(block, size, mark);
                let to = 1 + random(200);
                if random(2) == 0 && resize(&arena, block, size, to) {
                    check(block, size.min(to), mark);
                    fill(block, to, mark);
                    blocks.push((block, to, mark));
                } else {
                    release(&arena, block, size);
                }
            }
        }
    }
    assert!(allocated > 1000, "{allocated}");
}

fn fill(block: NonNull<u8>, size: usize, mark: u8) {
    // SAFETY: the block is in use and that long.
    unsafe { block.write_bytes(mark, size) }
}

fn check(block: NonNull<u8>, size: usize, mark: u8) {
    // SAFETY: the block is in use, that long, and was filled.
    let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr(), size) };
    assert!(bytes.iter().all(|&byte| byte == mark));
}
