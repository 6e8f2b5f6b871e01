//! The shim's memory.
//!
//! A start takes some hundred small pieces, and the process is gone a moment later. They come from one piece of memory that
//! the kernel fills in with one call: a page fault for every page costs more than all the work that is done in them. A
//! document that needs more than the arena gets it from dlmalloc, which gives back what is freed.
#![allow(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use dlmalloc::GlobalDlmalloc;

/// Bytes.
const SIZE: usize = 128 << 10;

/// Bytes that the kernel is asked to fill in at the first allocation: what Docker's 10 KB config.json takes.
const READY: usize = 84 << 10;

#[repr(align(4096))]
struct Memory(std::cell::UnsafeCell<[u8; SIZE]>);

// SAFETY: no reference to the bytes is ever made; each is handed out to one owner at a time.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(std::cell::UnsafeCell::new([0; SIZE]));

/// A bump allocator before dlmalloc.
pub(crate) struct Arena {
    /// Where the free part begins, in bytes from the start.
    next: AtomicUsize,
}

impl Arena {
    pub(crate) const fn new() -> Self {
        Self { next: AtomicUsize::new(0) }
    }

    fn take(&self, layout: Layout) -> Option<*mut u8> {
        let mut taken = self.next.load(Ordering::Relaxed);
        if taken == 0 {
            fill_in();
        }
        loop {
            let start = taken.next_multiple_of(layout.align());
            let end = start.checked_add(layout.size()).filter(|end| *end <= SIZE)?;
            match self.next.compare_exchange_weak(taken, end, Ordering::Relaxed, Ordering::Relaxed) {
                // SAFETY: start is less than SIZE.
                Ok(_) => return Some(unsafe { MEMORY.0.get().cast::<u8>().add(start) }),
                Err(now) => taken = now,
            }
        }
    }

    /// Moves the end of the last piece taken; false where `piece` is another, or does not fit.
    fn resize_last(&self, piece: *mut u8, old: usize, new: usize) -> bool {
        let Some(start) = offset(piece) else { return false };
        let Some(end) = start.checked_add(new).filter(|end| *end <= SIZE) else { return false };
        self.next.compare_exchange(start + old, end, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Where in the arena a piece begins, if it is one of its own.
fn offset(piece: *mut u8) -> Option<usize> {
    (piece as usize).checked_sub(MEMORY.0.get() as usize).filter(|offset| *offset < SIZE)
}

/// Best effort: a kernel before 5.14 does not know the request, and fills in page by page.
fn fill_in() {
    // SAFETY: the range is the arena's own.
    let _ = unsafe { nix::libc::madvise(MEMORY.0.get().cast(), READY, nix::libc::MADV_POPULATE_WRITE) };
}

// SAFETY: a piece is either a range of the arena that nothing else was given, or dlmalloc's; `offset` tells them apart.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller's.
        self.take(layout).unwrap_or_else(|| unsafe { GlobalDlmalloc.alloc(layout) })
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        if offset(piece).is_some() {
            self.resize_last(piece, layout.size(), 0);
        } else {
            // SAFETY: not of the arena, so of dlmalloc.
            unsafe { GlobalDlmalloc.dealloc(piece, layout) }
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if offset(piece).is_none() {
            // SAFETY: not of the arena, so of dlmalloc.
            return unsafe { GlobalDlmalloc.realloc(piece, layout, size) };
        }
        if size <= layout.size() || self.resize_last(piece, layout.size(), size) {
            return piece;
        }
        // SAFETY: the caller gives a size that is valid with this alignment.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both are at least as long as the old piece, and the new one was not given to anyone.
            unsafe { ptr::copy_nonoverlapping(piece, new, layout.size()) };
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tests' own pieces come from the arena as well, on other threads: nothing is known of where a piece lies.
    fn piece(size: usize, align: usize) -> (*mut u8, Layout) {
        let layout = Layout::from_size_align(size, align).unwrap();
        // SAFETY: no layout here is of size zero.
        let piece = unsafe { super::super::ALLOCATOR.alloc(layout) };
        assert_eq!(piece as usize % align, 0);
        (piece, layout)
    }

    #[test]
    fn pieces_keep_what_is_written_through_growth_past_the_arena() {
        let pieces: Vec<_> = (1..=64_usize).map(|size| (piece(size, 1 << (size % 8)), size)).collect();
        for ((piece, layout), size) in pieces {
            // SAFETY: the piece has that many bytes, and is given back once with the layout that it then has.
            unsafe {
                piece.write_bytes(u8::try_from(size).unwrap(), size);
                let grown = super::super::ALLOCATOR.realloc(piece, layout, SIZE);
                assert!((0..size).all(|at| usize::from(*grown.add(at)) == size));
                let layout = Layout::from_size_align(SIZE, layout.align()).unwrap();
                super::super::ALLOCATOR.dealloc(grown, layout);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_not_of_the_arena() {
        let (large, layout) = piece(SIZE + 1, 16);
        assert_eq!(offset(large), None);
        // SAFETY: it was given with this layout.
        unsafe { super::super::ALLOCATOR.dealloc(large, layout) };
    }

    #[test]
    fn the_last_piece_grows_where_it_is_and_what_it_leaves_is_given_again() {
        let arena = Arena { next: AtomicUsize::new(SIZE - 64) };
        let layout = Layout::from_size_align(16, 16).unwrap();
        let first = arena.take(layout).unwrap();
        assert!(arena.resize_last(first, 16, 48));
        assert!(!arena.resize_last(first, 16, 32), "it is not the last one with that size");
        assert!(!arena.resize_last(first, 48, 128), "past the end");
        assert!(arena.resize_last(first, 48, 0));
        assert_eq!(arena.take(layout), Some(first));
        assert_eq!(arena.take(Layout::from_size_align(64, 1).unwrap()), None);
    }
}
