//! Where parameters live: ordered by first use, initialized from named random streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Device, Result, Shape, Tensor, Var};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use gan_core::Stream;

/// The parameters and buffers of one network, in the order in which the network asked for them.
///
/// Cloning is cheap and shares the values.
#[derive(Clone)]
pub struct ParamStore {
    inner: Arc<Inner>,
}

struct Inner {
    source: Source,
    device: Device,
    entries: Mutex<Vec<(String, Var)>>,
}

/// Where a tensor that was never asked for before comes from.
enum Source {
    /// Drawn from the stream `init.{network}.{name}`.
    Seed { network: String, seed: u64 },
    /// Read; a missing one is an error.
    Tensors(HashMap<String, Tensor>),
}

impl ParamStore {
    /// An empty store whose tensors are initialized when a network asks for them.
    ///
    /// Each tensor has a random stream of its own, so that a change to one layer leaves the initial
    /// weights of all others as they were.
    pub fn seeded(network: &str, seed: u64, device: &Device) -> Self {
        Self::with_source(Source::Seed { network: network.into(), seed }, device)
    }

    /// A store of given tensors, as they are in a checkpoint (without the network's prefix).
    pub fn from_tensors(tensors: HashMap<String, Tensor>, device: &Device) -> Self {
        Self::with_source(Source::Tensors(tensors), device)
    }

    fn with_source(source: Source, device: &Device) -> Self {
        let entries = Mutex::default();
        Self { inner: Arc::new(Inner { source, device: device.clone(), entries }) }
    }

    /// For networks that are trained: gradients reach these tensors.
    pub fn trainable(&self) -> VarBuilder<'static> {
        self.builder(false)
    }

    /// For a network that shares the values but is not trained: no gradient is computed for its
    /// parameters. Updates made through [`ParamStore::trainable`] are seen at once.
    pub fn frozen(&self) -> VarBuilder<'static> {
        self.builder(true)
    }

    fn builder(&self, frozen: bool) -> VarBuilder<'static> {
        let backend = View { store: self.clone(), frozen };
        VarBuilder::from_backend(Box::new(backend), DType::F32, self.inner.device.clone())
    }

    /// Everything, buffers included, in order.
    pub fn tensors(&self) -> Vec<(String, Var)> {
        self.entries().clone()
    }

    /// What an optimizer updates: all but the buffers, in order.
    pub fn parameters(&self) -> Vec<(String, Var)> {
        self.entries().iter().filter(|(name, _)| !is_buffer(name)).cloned().collect()
    }

    /// Number of trained values.
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// Overwrites every value in place with what `get` returns for its name.
    pub fn load(&self, mut get: impl FnMut(&str) -> Result<Tensor>) -> Result<()> {
        for (name, var) in self.tensors() {
            let value = get(&name)?;
            if value.dims() != var.dims() {
                candle_core::bail!(
                    "tensor {name} is {:?}, expected {:?}",
                    value.dims(),
                    var.dims()
                );
            }
            var.set(&value.to_dtype(DType::F32)?.to_device(&self.inner.device)?.contiguous()?)?;
        }
        Ok(())
    }

    fn entries(&self) -> MutexGuard<'_, Vec<(String, Var)>> {
        self.inner.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get_or_create(&self, name: &str, shape: Shape, init: Init) -> Result<Var> {
        let existing = self.entries().iter().find(|(n, _)| n == name).map(|(_, var)| var.clone());
        let var = match existing {
            Some(var) => var,
            None => {
                let var = Var::from_tensor(&self.inner.create(name, &shape, init)?)?;
                self.entries().push((name.to_string(), var.clone()));
                var
            }
        };
        if var.shape() != &shape {
            candle_core::bail!("tensor {name} is {:?}, expected {:?}", var.dims(), shape.dims());
        }
        Ok(var)
    }
}

impl Inner {
    fn create(&self, name: &str, shape: &Shape, init: Init) -> Result<Tensor> {
        match &self.source {
            Source::Tensors(tensors) => match tensors.get(name) {
                // A copy: a store owns what it updates in place.
                Some(tensor) => tensor.to_dtype(DType::F32)?.to_device(&self.device)?.copy(),
                None => candle_core::bail!("tensor {name} is missing"),
            },
            Source::Seed { network, seed } => {
                let mut stream = Stream::named(&format!("init.{network}.{name}"), *seed);
                let mut draw = || match init {
                    Init::Const(value) => Ok(value as f32),
                    Init::Randn { mean, stdev } => Ok(mean as f32 + stdev as f32 * stream.normal()),
                    Init::Uniform { lo, up } => Ok(stream.uniform(lo as f32, up as f32)),
                    Init::Kaiming { .. } => {
                        candle_core::bail!("initialization of {name}: write its bound as Uniform")
                    }
                };
                let values =
                    (0..shape.elem_count()).map(|_| draw()).collect::<Result<Vec<f32>>>()?;
                Tensor::from_vec(values, shape, &self.device)
            }
        }
    }
}

/// Whether a tensor is part of a network's state without being trained: the running statistics of
/// batch norm, and what the masks of dropout are drawn from.
pub fn is_buffer(name: &str) -> bool {
    ["running_mean", "running_var", "mask_key", "mask_calls"].iter().any(|b| name.ends_with(b))
}

/// How a network sees a store.
struct View {
    store: ParamStore,
    frozen: bool,
}

impl SimpleBackend for View {
    fn get(&self, s: Shape, name: &str, h: Init, _: DType, _: &Device) -> Result<Tensor> {
        let var = self.store.get_or_create(name, s, h)?;
        // Buffers stay variables in both views, as both update them in place.
        if self.frozen && !is_buffer(name) {
            return Ok(var.as_detached_tensor());
        }
        Ok(var.as_tensor().clone())
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        candle_core::bail!("tensor {name} was asked for without a shape")
    }

    fn contains_tensor(&self, name: &str) -> bool {
        match &self.store.inner.source {
            Source::Tensors(tensors) => tensors.contains_key(name),
            Source::Seed { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORMAL: Init = Init::Randn { mean: 0.0, stdev: 0.02 };

    fn values(var: &Tensor) -> Vec<f32> {
        var.flatten_all().and_then(|t| t.to_vec1()).expect("f32 on the CPU")
    }

    #[test]
    fn initial_values_depend_on_seed_and_name_alone() -> Result<()> {
        let build = |seed, names: &[&str]| -> Result<Vec<(String, Vec<f32>)>> {
            let store = ParamStore::seeded("generator", seed, &Device::Cpu);
            for name in names {
                store.trainable().pp(name).get_with_hints(5, "weight", NORMAL)?;
            }
            Ok(store.tensors().iter().map(|(n, v)| (n.clone(), values(v))).collect())
        };
        let forward = build(1, &["a", "b"])?;
        let backward = build(1, &["b", "a"])?;
        assert_eq!(forward[0], backward[1]);
        assert_eq!(forward[1], backward[0]);
        assert_ne!(forward[0].1, forward[1].1);
        assert_ne!(forward[0], build(2, &["a"])?[0]);
        Ok(())
    }

    #[test]
    fn the_frozen_view_follows_updates_without_being_tracked() -> Result<()> {
        let store = ParamStore::seeded("g", 0, &Device::Cpu);
        let trained = store.trainable().get_with_hints(3, "weight", NORMAL)?;
        let frozen = store.frozen().get_with_hints(3, "weight", NORMAL)?;
        assert!(trained.track_op() && !frozen.track_op());
        store.load(|_| Tensor::new(&[1f32, 2.0, 3.0], &Device::Cpu))?;
        assert_eq!(values(&frozen), [1.0, 2.0, 3.0]);
        Ok(())
    }

    #[test]
    fn missing_and_misshapen_tensors_are_named() {
        let zeros = Tensor::zeros(2, DType::F32, &Device::Cpu).expect("small");
        let store =
            ParamStore::from_tensors(HashMap::from([("a.weight".into(), zeros)]), &Device::Cpu);
        let vb = store.trainable();
        let missing = vb.get(2, "weight").expect_err("no such tensor").to_string();
        assert!(missing.contains("weight is missing"), "{missing}");
        let shape = vb.pp("a").get(3, "weight").expect_err("has 2").to_string();
        assert!(shape.contains("expected [3]"), "{shape}");
    }
}
