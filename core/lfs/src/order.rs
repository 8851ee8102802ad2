//! One sort, one sorted map and one sorted set for the whole core. They do what those of the library do. But there each
//! type brings a sort of its own, of twenty kilobytes in WebAssembly; these sorts were a third of the engine.

use alloc::collections::BinaryHeap;
use alloc::vec::{self, Vec};
use core::borrow::Borrow;
use core::cmp::Ordering;

/// The numbers below `count`, in the order of `compare`; equal ones by number.
pub fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let ranked: Vec<Ranked<'_>> = (0..count).map(|number| Ranked { number, compare }).collect();
    BinaryHeap::from(ranked).into_sorted_vec().into_iter().map(|ranked| ranked.number).collect()
}

/// A number in the order of a comparison. In WebAssembly a heap that sorts has half a kilobyte, and `sort_unstable`
/// five.
#[derive(Clone, Copy)]
struct Ranked<'a> {
    number: usize,
    compare: &'a dyn Fn(usize, usize) -> Ordering,
}

impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.compare)(self.number, other.number).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Ranked<'_> {}

impl PartialEq for Ranked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

/// The first number that is equal to a smaller one.
pub fn repeated(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Option<usize> {
    let order = order(count, compare);
    let pairs = order.windows(2).filter(|pair| compare(pair[0], pair[1]).is_eq());
    pairs.map(|pair| pair[1]).min()
}

/// The items in the order of `compare`; equal ones as they stood.
pub fn sorted<T>(items: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let order = order(items.len(), &|a, b| compare(&items[a], &items[b]));
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| items[at].take()).collect()
}

/// A map in the order of its keys. An insert moves all later keys: right for few keys, for keys that mostly ascend, and
/// for maps that are collected as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedMap<K, V>(Vec<(K, V)>);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(other, _)| other.borrow().cmp(key))
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        match self.find(&key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    /// Removes a key.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        Some(self.0.remove(at).1)
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        Some(&self.0[at].1)
    }

    /// The value of a key, to change.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        Some(&mut self.0[at].1)
    }

    /// The value of a key. A key that is not there is inserted with the default value.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, V::default()));
                at
            }
        };
        &mut self.0[at].1
    }

    /// Entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Keys in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// Whether a key is there.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Values in the order of their keys; consumes the map.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.0.into_iter().map(|(_, value)| value)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    /// Of several values for one key, the last stays.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries = sorted(entries.into_iter().collect(), |a: &(K, V), b| a.0.cmp(&b.0));
        entries.reverse();
        entries.dedup_by(|a, b| a.0 == b.0);
        entries.reverse();
        Self(entries)
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A sorted set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedSet<T>(SortedMap<T, ()>);

impl<T> Default for SortedSet<T> {
    fn default() -> Self {
        Self(SortedMap::default())
    }
}

impl<T: Ord> SortedSet<T> {
    /// Whether an item is in it.
    pub fn contains<Q: Ord + ?Sized>(&self, item: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.contains_key(item)
    }

    /// Inserts an item; false when it was there.
    pub fn insert(&mut self, item: T) -> bool {
        let new = !self.contains(&item);
        self.0.insert(item, ());
        new
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Items in their order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.keys()
    }
}

impl<T: Ord> FromIterator<T> for SortedSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().map(|item| (item, ())).collect())
    }
}

impl<T> IntoIterator for SortedSet<T> {
    type Item = T;
    type IntoIter = core::iter::Map<vec::IntoIter<(T, ())>, fn((T, ())) -> T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(item, ())| item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::{BTreeMap, BTreeSet};

    #[test]
    fn numbers_come_in_order_and_equal_ones_by_number() {
        let values = [3, 1, 2, 1];
        assert_eq!(order(4, &|a, b| values[a].cmp(&values[b])), [1, 3, 2, 0]);
        let fold = |a: usize, b: usize| values[a].cmp(&values[b]);
        assert_eq!((repeated(4, &fold), repeated(3, &fold)), (Some(3), None));
        assert_eq!(sorted(vec!["b1", "a", "b0"], |a, b| a[..1].cmp(&b[..1])), ["a", "b1", "b0"]);
    }

    /// The same words as the library's maps, and the same answers.
    #[test]
    fn it_is_the_librarys_map() {
        let entries: Vec<(u32, u32)> = (0..200).map(|n: u32| (n.wrapping_mul(2_654_435_761) % 64, n)).collect();
        let (mut ours, mut theirs) = (SortedMap::default(), BTreeMap::new());
        for (key, value) in &entries {
            ours.insert(*key, *value);
            theirs.insert(*key, *value);
            if key % 3 == 0 {
                assert_eq!(ours.remove(&(key / 2)), theirs.remove(&(key / 2)));
            }
        }
        *ours.or_default(7) += 1;
        *theirs.entry(7).or_default() += 1;
        if let (Some(our), Some(their)) = (ours.get_mut(&5), theirs.get_mut(&5)) {
            (*our, *their) = (0, 0);
        }
        assert!((0..64).all(|key| ours.get(&key) == theirs.get(&key)));
        assert!(ours.iter().eq(theirs.iter()) && ours.keys().eq(theirs.keys()) && ours.values().eq(theirs.values()));
        assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), false));
        let (ours, theirs): (SortedMap<_, _>, BTreeMap<_, _>) =
            (entries.iter().copied().collect(), entries.into_iter().collect());
        assert!(ours.clone().into_values().eq(theirs.clone().into_values()) && ours.into_iter().eq(theirs));
    }

    #[test]
    fn it_is_the_librarys_set() {
        let (mut ours, mut theirs): (SortedSet<_>, BTreeSet<_>) =
            ([5, 1, 5, 3].into_iter().collect(), [5, 1, 5, 3].into());
        assert_eq!((ours.insert(4), ours.insert(4)), (theirs.insert(4), theirs.insert(4)));
        assert!(ours.iter().eq(theirs.iter()) && ours.contains(&3) && !ours.contains(&2));
        assert!(ours.len() == theirs.len() && !ours.is_empty() && ours.into_iter().eq(theirs));
    }
}
