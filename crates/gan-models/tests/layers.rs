//! The layers by themselves.

use candle_core::{DType, Device, Result, Tensor};
use gan_core::testing::{Tolerance, assert_close};
use gan_kernels::{Activation, ConvGeometry, FeatureMaps};
use gan_models::layers::{Conv2d, ConvTranspose2d, Dropout, Linear, reshape};
use gan_models::{ParamStore, summary};

const IDENTITY: Activation = Activation::Identity;

fn store(seed: u64) -> ParamStore {
    ParamStore::seeded("network", seed, &Device::Cpu)
}

fn ones(dims: [usize; 4]) -> Result<FeatureMaps> {
    FeatureMaps::from_tensor(&Tensor::ones(&dims, DType::F32, &Device::Cpu)?)
}

fn values(maps: &FeatureMaps) -> Result<Vec<f32>> {
    maps.to_tensor()?.flatten_all()?.to_vec1()
}

/// `out[n, o] = Σ weight[o, i]·x[n, i] + bias[o]`, with the maps' values in the order C, H, W.
#[test]
fn linear_flattens_maps_as_pytorch_does() -> Result<()> {
    let store = store(0);
    let layer = Linear::new(12, 5, IDENTITY, store.trainable())?;
    let x = Tensor::arange(0f32, 24.0, &Device::Cpu)?.reshape((2, 3, 2, 2))?;
    let y = layer.forward(&FeatureMaps::from_tensor(&x)?)?;
    let [weight, bias] = [0, 1].map(|i| store.tensors()[i].1.as_detached_tensor());
    let reference = x.flatten_from(1)?.matmul(&weight.t()?)?.broadcast_add(&bias)?;
    let close = Tolerance { rtol: 1e-6, atol: 1e-5 };
    assert_close(&y.to_tensor()?.flatten_from(1)?, &reference, close);
    Ok(())
}

#[test]
fn reshaped_maps_keep_their_values_in_order() -> Result<()> {
    let x = Tensor::arange(0f32, 36.0, &Device::Cpu)?.reshape((2, 18))?;
    let maps = reshape(&FeatureMaps::from_tensor(&x)?, [2, 3, 3])?;
    assert_eq!(maps.dims(), [2, 2, 3, 3]);
    assert_eq!(values(&maps)?, values(&FeatureMaps::from_tensor(&x)?)?);
    assert!(reshape(&maps, [2, 3, 4]).is_err());
    Ok(())
}

/// `torch.nn.init`'s bound 1/√fan_in, where fan_in of a weight `[a, b, K, K]` is b·K², for
/// transposed convolutions too.
#[test]
fn layers_are_drawn_as_pytorchs_default() -> Result<()> {
    let store = store(3);
    let (vb, geometry) = (store.trainable(), ConvGeometry::square(2, 1));
    Linear::new(64, 500, IDENTITY, vb.pp("linear"))?;
    Conv2d::with_bias(16, 300, 4, geometry, IDENTITY, vb.pp("conv"))?;
    Conv2d::without_bias(16, 300, 3, geometry, IDENTITY, vb.pp("bare"))?;
    ConvTranspose2d::with_bias(16, 300, 4, geometry, IDENTITY, vb.pp("up"))?;
    let fan_in =
        [("linear", 64.0), ("conv", 16.0 * 16.0), ("bare", 16.0 * 9.0), ("up", 300.0 * 16.0)];
    for (name, var) in store.tensors() {
        let (_, fan_in) = fan_in.iter().find(|(layer, _)| name.starts_with(layer)).expect("known");
        let bound = 1.0 / f64::sqrt(*fan_in);
        let drawn = var.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let largest = drawn.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        // Of 300 draws the largest is within 5 % of the bound but for one time in 5 million.
        assert!(largest <= bound * (1.0 + 1e-6) && largest > 0.95 * bound, "{name}: {largest}");
        // The mean of n draws has the standard error bound/√(3n).
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        assert!(mean.abs() < 5.0 * bound / (3.0 * drawn.len() as f64).sqrt(), "{name}: {mean}");
    }
    Ok(())
}

#[test]
fn biases_are_added_to_every_pixel() -> Result<()> {
    let store = store(0);
    let (vb, geometry) = (store.trainable(), ConvGeometry::square(2, 1));
    let down = Conv2d::with_bias(2, 3, 4, geometry, IDENTITY, vb.pp("down"))?;
    let up = ConvTranspose2d::with_bias(2, 3, 4, geometry, IDENTITY, vb.pp("up"))?;
    store.load(|name| {
        let bias = Tensor::new(&[1f32, 2.0, 3.0], &Device::Cpu)?;
        let dims = if name.starts_with("down") { (3, 2, 4, 4) } else { (2, 3, 4, 4) };
        if name.ends_with("bias") {
            Ok(bias)
        } else {
            Tensor::zeros(dims, DType::F32, &Device::Cpu)
        }
    })?;
    for y in [down.forward(&ones([1, 2, 4, 4])?)?, up.forward(&ones([1, 2, 1, 1])?)?] {
        assert_eq!(y.dims(), [1, 3, 2, 2]);
        assert_eq!(values(&y)?, [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0]);
    }
    Ok(())
}

#[test]
fn masks_follow_from_the_state_of_the_store() -> Result<()> {
    let saved = store(0);
    let dropout = Dropout::new(0.3, saved.trainable().pp("dropout"))?;
    let x = ones([4, 50, 2, 2])?;
    let mask = || values(&dropout.forward_t(&x, true)?);
    let first = mask()?;
    let state: Vec<_> = saved
        .tensors()
        .into_iter()
        .map(|(name, var)| Ok((name, var.as_detached_tensor().copy()?)))
        .collect::<Result<_>>()?;
    let next = [mask()?, mask()?];
    assert_ne!(first, next[0]);
    assert_ne!(next[0], next[1]);

    // Put back, in place, it goes on as it went; so does a network made of what was saved.
    saved.load(|wanted| {
        Ok(state.iter().find(|(name, _)| name == wanted).expect("saved").1.clone())
    })?;
    assert_eq!([mask()?, mask()?], next);
    let loaded = ParamStore::from_tensors(state.into_iter().collect(), &Device::Cpu);
    let again = Dropout::new(0.3, loaded.trainable().pp("dropout"))?;
    assert_eq!(values(&again.forward_t(&x, true)?)?, next[0]);
    Ok(())
}

#[test]
fn masks_differ_by_seed_and_by_layer() -> Result<()> {
    let x = ones([4, 50, 2, 2])?;
    let mask = |seed, name| {
        values(&Dropout::new(0.3, store(seed).trainable().pp(name))?.forward_t(&x, true)?)
    };
    assert_eq!(mask(0, "a")?, mask(0, "a")?);
    assert_ne!(mask(0, "a")?, mask(1, "a")?);
    assert_ne!(mask(0, "a")?, mask(0, "b")?);
    Ok(())
}

/// A phase that trains another network sees the same layer, and counts its calls too.
#[test]
fn the_frozen_view_counts_calls_with_the_trained_one() -> Result<()> {
    let [shared, alone] = [store(0), store(0)];
    let x = ones([4, 50, 2, 2])?;
    let trained = Dropout::new(0.3, shared.trainable())?;
    let frozen = Dropout::new(0.3, shared.frozen())?;
    let reference = Dropout::new(0.3, alone.trainable())?;
    for layer in [&trained, &frozen, &frozen, &trained] {
        let (a, b) = (layer.forward_t(&x, true)?, reference.forward_t(&x, true)?);
        assert_eq!(values(&a)?, values(&b)?);
    }
    assert_eq!(shared.parameter_count(), 0);
    Ok(())
}

#[test]
fn dropout_keeps_the_mean_and_is_nothing_without_training() -> Result<()> {
    let store = store(0);
    let dropout = Dropout::new(0.3, store.trainable().pp("dropout"))?;
    let x = ones([10, 1000, 1, 1])?;
    let y = values(&dropout.forward_t(&x, true)?)?;
    let dropped = y.iter().filter(|&&v| v == 0.0).count() as f64 / y.len() as f64;
    // Five standard errors of a share of 10,000.
    assert!((dropped - 0.3).abs() < 5.0 * (0.3 * 0.7 / 1e4f64).sqrt(), "{dropped}");
    assert!(y.iter().all(|&v| v == 0.0 || (v - 1.0 / 0.7).abs() < 1e-6));

    let before = values(&FeatureMaps::from_tensor(&store.tensors()[1].1.reshape((1, 1))?)?)?;
    assert_eq!(before, [1.0]);
    assert_eq!(values(&dropout.forward_t(&x, false)?)?, values(&x)?);
    let table = summary::summarize("network", || dropout.forward_t(&x, true)?.to_tensor())?;
    assert_eq!((table.layers[0].kind.as_str(), table.parameters), ("Dropout", 0));
    assert_eq!(table.layers[0].name, "dropout");
    Ok(())
}
