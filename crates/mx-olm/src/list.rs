//! A bounded list of things that are wiped where they lie.
//!
//! Without `alloc` its slots are part of the value. With `alloc` they are on the heap and as many as are used, so that a
//! session that never skipped a message stays small. Bounds and behaviour are the same.

use zeroize::ZeroizeOnDrop;

#[cfg(feature = "alloc")]
type Slots<T, const N: usize> = alloc::vec::Vec<T>;
#[cfg(not(feature = "alloc"))]
type Slots<T, const N: usize> = heapless::Vec<T, N>;

/// At most `N` elements, oldest first.
pub(crate) struct List<T, const N: usize>(Slots<T, N>);

impl<T: Clone + ZeroizeOnDrop, const N: usize> List<T, N> {
    pub(crate) const fn new() -> Self {
        Self(Slots::new())
    }

    /// Appends an element; the oldest is dropped when there is no room. With `N` = 0 nothing is kept.
    pub(crate) fn push_evicting(&mut self, element: T) {
        if self.is_full() {
            self.remove(0);
        }
        self.push(element);
    }

    /// Appends an element; says whether there was room.
    pub(crate) fn push(&mut self, element: T) -> bool {
        if self.is_full() {
            return false;
        }
        #[cfg(feature = "alloc")]
        self.grow();
        #[cfg(feature = "alloc")]
        self.0.push(element);
        #[cfg(not(feature = "alloc"))]
        let _ = self.0.push(element);
        true
    }

    /// Takes an element out of the order and drops it in its slot, where it is wiped: taking it out of the list would
    /// leave a copy there.
    pub(crate) fn remove(&mut self, position: usize) {
        if let Some(from_here) = self.0.get_mut(position..).filter(|slots| !slots.is_empty()) {
            #[cfg(feature = "alloc")]
            from_here.rotate_left(1);
            // One by one: slower, and without a kilobyte of `memmove` that nothing else in an image needs.
            #[cfg(not(feature = "alloc"))]
            for next in 1..from_here.len() {
                from_here.swap(next - 1, next);
            }
            self.0.truncate(self.0.len() - 1);
        }
    }

    /// Removes all elements for which the condition does not hold.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let mut position = 0;
        while let Some(element) = self.0.get(position) {
            if keep(element) {
                position += 1;
            } else {
                self.remove(position);
            }
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= N
    }

    /// Moves to a larger allocation and wipes the old one, which growing by itself would not do.
    #[cfg(feature = "alloc")]
    fn grow(&mut self) {
        let len = self.0.len();
        if len == self.0.capacity() {
            let mut larger = Slots::with_capacity((len * 2).clamp(1, N));
            larger.extend(self.0.iter().cloned());
            self.0 = larger;
        }
    }
}

impl<T, const N: usize> core::ops::Deref for List<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, const N: usize> core::ops::DerefMut for List<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::rc::Rc;
    use alloc::vec::Vec;
    use core::cell::Cell;

    use zeroize::ZeroizeOnDrop;

    use super::List;

    /// Counts how many of its kind were dropped.
    #[derive(Clone)]
    struct Counted(u8, Rc<Cell<usize>>);

    impl Drop for Counted {
        fn drop(&mut self) {
            self.1.set(self.1.get() + 1);
        }
    }

    impl ZeroizeOnDrop for Counted {}

    #[test]
    fn order_bounds_and_drops() {
        let drops = Rc::new(Cell::new(0));
        let mut list = List::<_, 3>::new();
        let values = |list: &List<Counted, 3>| list.iter().map(|c| c.0).collect::<Vec<_>>();
        for n in 0..3 {
            assert!(list.push(Counted(n, drops.clone())));
        }
        // Growing leaves nothing behind: one, then two elements were copied and dropped.
        assert_eq!(drops.get(), if cfg!(feature = "alloc") { 3 } else { 0 });
        assert!(!list.push(Counted(9, drops.clone())));
        list.push_evicting(Counted(3, drops.clone()));
        assert_eq!(values(&list), [1, 2, 3]);
        list.remove(1);
        assert_eq!(values(&list), [1, 3]);
        list.remove(2);
        assert_eq!(values(&list), [1, 3]);
        assert!(list.push(Counted(4, drops.clone())));
        list.retain(|c| c.0 != 3);
        assert_eq!(values(&list), [1, 4]);
        drop(list);
        // Every value and every copy made for growing was dropped.
        assert_eq!(Rc::strong_count(&drops), 1);
    }

    #[test]
    fn nothing_is_kept_in_no_room() {
        let drops = Rc::new(Cell::new(0));
        let mut list = List::<_, 0>::new();
        list.push_evicting(Counted(1, drops.clone()));
        assert!(list.is_empty() && drops.get() == 1);
    }
}
