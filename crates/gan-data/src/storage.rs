//! Where the shards of an opened data set are: in memory, or mapped from their files.

/// Where the shards of a data set are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// In memory where they take at most half of what is free, else mapped.
    #[default]
    Auto,
    /// In memory.
    Memory,
    /// Mapped: the operating system reads what is asked for and forgets it when memory is short.
    Mapped,
}

impl Storage {
    /// Whether shards of so many bytes together are read into memory.
    pub(crate) fn holds(self, bytes: u64) -> bool {
        match self {
            Storage::Auto => bytes <= free_memory() / 2,
            Storage::Memory => true,
            Storage::Mapped => false,
        }
    }
}

/// Bytes of memory that this process can still take, within the limits of its container.
fn free_memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    // What the container calls used includes files that the system keeps in mind and would forget.
    let free = |limits: sysinfo::CGroupLimits| limits.total_memory.saturating_sub(limits.rss);
    system.cgroup_limits().map_or(u64::MAX, free).min(system.available_memory())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sets_are_held_and_endless_ones_mapped() {
        assert!(Storage::Auto.holds(0));
        assert!(!Storage::Auto.holds(u64::MAX / 2));
        assert!(Storage::Memory.holds(u64::MAX));
        assert!(!Storage::Mapped.holds(0));
    }
}
