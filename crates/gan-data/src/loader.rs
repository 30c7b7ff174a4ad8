//! Shuffled batches, prepared ahead by one thread.
//!
//! The order of an epoch and its flips are drawn from streams named by seed and epoch alone, so that
//! an epoch number and a batch number are all there is to save.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use candle_core::Tensor;
use gan_core::Stream;
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::sampling::{self, Sampling};
use crate::shape::Split;

/// Batches that wait to be taken.
const AHEAD: usize = 3;

/// How batches are made.
#[derive(Clone, Debug, PartialEq)]
pub struct LoaderConfig {
    /// Samples in a batch.
    pub batch_size: usize,
    /// How often each sample comes.
    pub sampling: Sampling,
    /// Whether each picture is mirrored left to right with probability ½.
    pub flips: bool,
    /// Seed of order and flips.
    pub seed: u64,
}

/// Which batch comes next: all the state of a loader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoaderPosition {
    /// Passes over the split that are complete.
    pub epoch: u64,
    /// Batches of the current pass that were returned.
    pub batch: u64,
}

/// How often the next batch was there when it was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Batches that were asked for.
    pub batches: u64,
    /// Those of them that were there.
    pub ready: u64,
    /// Time spent waiting for the others.
    pub time: Duration,
}

/// Samples for one step.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Pictures u8 `[N, C, H, W]`, or points f32 `[N, D]`, on the CPU.
    pub samples: Tensor,
    /// Index of each sample in its split, by which [`Dataset::labels`] and
    /// [`Dataset::attributes`] find what belongs to it.
    pub indices: Vec<usize>,
    /// Pass over the split that the batch belongs to, from 0.
    pub epoch: u64,
}

/// Serves a split in batches, for ever; the incomplete last batch of an epoch is left out.
#[derive(Debug)]
pub struct Loader {
    next: LoaderPosition,
    batches_per_epoch: usize,
    waiting: Waiting,
    batches: Option<Receiver<Result<Batch, DataError>>>,
    worker: Option<JoinHandle<()>>,
}

impl Loader {
    /// A loader that begins with the first batch.
    pub fn new(data: Arc<Dataset>, split: Split, config: LoaderConfig) -> Result<Self, DataError> {
        Self::resume(data, split, config, LoaderPosition::default())
    }

    /// A loader that continues at a position of one with the same data, split and config: its batches are
    /// the same bit for bit.
    pub fn resume(
        data: Arc<Dataset>,
        split: Split,
        config: LoaderConfig,
        position: LoaderPosition,
    ) -> Result<Self, DataError> {
        let (images, batch_size) = (data.len(split), config.batch_size);
        if batch_size == 0 {
            let (expected, got) = ("at least 1".into(), "0".into());
            return Err(DataError::Argument { name: "batch size", expected, got });
        }
        if images < batch_size {
            return Err(DataError::TooFew {
                path: data.folder().into(),
                split,
                images,
                batch_size,
            });
        }
        let batches_per_epoch = images / batch_size;
        if position.batch >= batches_per_epoch as u64 {
            return Err(DataError::Argument {
                name: "loader position",
                expected: format!("a batch below {batches_per_epoch}, the number in an epoch"),
                got: position.batch.to_string(),
            });
        }
        let weights = config.sampling.weights(&data, split)?;
        let worker = Worker { data, split, config, weights };
        let (sender, batches) = sync_channel(AHEAD);
        let worker = std::thread::Builder::new()
            .name("loader".into())
            .spawn(move || worker.run(position, &sender))?;
        let (batches, worker) = (Some(batches), Some(worker));
        let waiting = Waiting::default();
        Ok(Self { next: position, batches_per_epoch, waiting, batches, worker })
    }

    /// The next batch; waits where it is not ready yet.
    pub fn next_batch(&mut self) -> Result<Batch, DataError> {
        let batches = self.batches.as_ref().ok_or(DataError::Stopped)?;
        let batch = match batches.try_recv() {
            Ok(batch) => {
                self.waiting.ready += 1;
                batch?
            }
            Err(TryRecvError::Disconnected) => return Err(DataError::Stopped),
            Err(TryRecvError::Empty) => {
                let start = Instant::now();
                let batch = batches.recv().map_err(|_| DataError::Stopped)?;
                self.waiting.time += start.elapsed();
                batch?
            }
        };
        self.waiting.batches += 1;
        self.next = after(self.next, self.batches_per_epoch);
        Ok(batch)
    }

    /// Position of the batch that [`Loader::next_batch`] returns next.
    pub fn position(&self) -> LoaderPosition {
        self.next
    }

    /// How often batches were ready so far.
    pub fn waiting(&self) -> Waiting {
        self.waiting
    }

    /// Batches in one pass over the split.
    pub fn batches_per_epoch(&self) -> usize {
        self.batches_per_epoch
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // The worker ends when nobody receives.
        self.batches = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

fn after(LoaderPosition { epoch, batch }: LoaderPosition, per_epoch: usize) -> LoaderPosition {
    if batch + 1 < per_epoch as u64 {
        LoaderPosition { epoch, batch: batch + 1 }
    } else {
        LoaderPosition { epoch: epoch + 1, batch: 0 }
    }
}

/// What the thread that prepares batches needs.
struct Worker {
    data: Arc<Dataset>,
    split: Split,
    config: LoaderConfig,
    weights: Option<Vec<f64>>,
}

impl Worker {
    /// Makes batches from `position` on until nobody takes them.
    fn run(&self, mut position: LoaderPosition, sender: &SyncSender<Result<Batch, DataError>>) {
        let n = self.config.batch_size;
        loop {
            let epoch = self.epoch(position.epoch);
            while position.epoch == epoch.number {
                let start = position.batch as usize * n;
                let indices = epoch.order[start..start + n].to_vec();
                let flips = &epoch.flips[start..start + n];
                let samples = self.data.gather(self.split, &indices, |k| flips[k]);
                let batch = samples.map(|samples| Batch { samples, indices, epoch: epoch.number });
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    return;
                }
                position = after(position, epoch.order.len() / n);
            }
        }
    }

    fn epoch(&self, number: u64) -> Epoch {
        let seed = self.config.seed;
        let mut stream = Stream::indexed("data.shuffle", seed, number);
        let order = match &self.weights {
            Some(weights) => sampling::draw(weights, &mut stream),
            None => {
                let mut order: Vec<usize> = (0..self.data.len(self.split)).collect();
                stream.shuffle(&mut order);
                order
            }
        };
        let mut coin = Stream::indexed("data.flips", seed, number);
        let flips = order.iter().map(|_| self.config.flips && coin.chance(0.5)).collect();
        Epoch { number, order, flips }
    }
}

/// Order and flips of one pass.
struct Epoch {
    number: u64,
    order: Vec<usize>,
    flips: Vec<bool>, // by place in the order
}
