//! Networks as lists of layers compute what the networks themselves do.
#![allow(missing_docs)]

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor};
use candle_nn::ModuleT;
use gan_core::{ImageShape, Stream};
use gan_kernels::{ConvGeometry, FeatureMaps, conv_transpose2d};
use gan_models::autoencoder::{Decoder, Encoder};
use gan_models::classifier::Classifier;
use gan_models::layered::{Described, Fit, Network, Shapes, module};
use gan_models::{
    DiscriminatorKind, Distribution, Generator, GeneratorKind, Latent, Layer, ModelConfig,
    ParamStore, Part,
};

const CPU: Device = Device::Cpu;

fn noise(name: &str, dims: &[usize]) -> Result<Tensor> {
    let mut stream = Stream::named(name, 0);
    let values: Vec<f32> = (0..dims.iter().product()).map(|_| stream.normal()).collect();
    Tensor::from_vec(values, dims, &CPU)
}

/// A store whose values are not those of the initialization, so that biases and statistics count.
fn stirred(name: &str, build: impl Fn(&ParamStore) -> Result<()>) -> Result<ParamStore> {
    let store = ParamStore::seeded(name, 0, &CPU);
    build(&store)?;
    store.load(|name| {
        let dims = store.tensors().iter().find(|(n, _)| n == name).map(|(_, v)| v.dims().to_vec());
        let values = noise(name, &dims.unwrap_or_default())?;
        // Variances are positive.
        if name.ends_with("running_var") { values.abs()? + 0.5 } else { values * 0.2 }
    })?;
    Ok(store)
}

/// The main sequence of `described` under the keys of `nn.Sequential`, with the store's values.
fn main_of(described: &Described, store: &ParamStore) -> Result<(Network, ParamStore)> {
    let own: HashMap<String, Tensor> =
        store.tensors().into_iter().map(|(name, var)| (name, var.as_detached_tensor())).collect();
    let mut tensors = HashMap::new();
    for (key, layer) in described.numbered() {
        for tensor in layer.tensors() {
            let from = format!("{}.{tensor}", layer.key().unwrap_or_default());
            tensors.insert(format!("{key}.{tensor}"), own[&from].clone());
        }
    }
    for (name, tensor) in own.into_iter().filter(|(name, _)| name.starts_with("dropout")) {
        tensors.insert(name, tensor);
    }
    let store = ParamStore::from_tensors(tensors, &CPU);
    let network = Network::new(&described.numbered_main(), described.input, &store.frozen())?;
    Ok((network, store))
}

fn assert_same(found: &Tensor, expected: &Tensor) -> Result<()> {
    let values = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
    assert!(values(expected)?.iter().any(|x| *x != 0.0));
    assert_eq!(values(found)?, values(expected)?);
    Ok(())
}

fn kinds(channels: usize) -> Vec<(ModelConfig, ImageShape)> {
    let image = |side| ImageShape { channels, height: side, width: side };
    let plain = ModelConfig::plain_dcgan(4);
    let with = |generator, discriminator| ModelConfig { generator, discriminator, ..plain.clone() };
    vec![
        (plain.clone(), image(32)),
        (with(GeneratorKind::Conv, DiscriminatorKind::Conv), image(16)),
        (with(GeneratorKind::Fc, DiscriminatorKind::Fc), image(12)),
        (with(GeneratorKind::FcConv, DiscriminatorKind::Dcgan), image(28)),
        (with(GeneratorKind::InfoGan, DiscriminatorKind::InfoGan), image(28)),
        (with(GeneratorKind::Mlp, DiscriminatorKind::Mlp), image(1)),
    ]
}

#[test]
fn every_generator_and_discriminator_is_its_layers() -> Result<()> {
    let latent = Latent::normal(6);
    for (config, image) in kinds(3) {
        let build =
            |store: &ParamStore| config.generator(&latent, image, store.frozen()).map(|_| ());
        let store = stirred("generator", build)?;
        let generator = config.generator(&latent, image, store.frozen())?;
        let (layers, _store) = main_of(&generator.described(6, image)?, &store)?;
        let z = noise("z", &[3, 6])?;
        let maps = FeatureMaps::from_tensor(&z.reshape((3, 6, 1, 1))?)?;
        assert_same(&layers.forward(&maps, false)?.to_tensor()?, &generator.forward_t(&z, false)?)?;

        let build =
            |store: &ParamStore| config.discriminator(&latent, image, store.frozen()).map(|_| ());
        let store = stirred("discriminator", build)?;
        let discriminator = config.discriminator(&latent, image, store.frozen())?;
        let (layers, _store) = main_of(&discriminator.described(image, None)?, &store)?;
        let x = noise("x", &[3, image.channels, image.height, image.width])?;
        let found = layers.forward(&FeatureMaps::from_tensor(&x)?, false)?.to_tensor()?;
        assert_same(&found, &discriminator.forward_t(&x, false)?)?;
    }
    Ok(())
}

#[test]
fn autoencoders_and_classifiers_are_their_layers() -> Result<()> {
    let image = ImageShape { channels: 1, height: 28, width: 28 };
    let x = noise("x", &[2, 1, 28, 28])?;
    let maps = FeatureMaps::from_tensor(&x)?;

    let build = |store: &ParamStore| Encoder::new(4, 5, true, image, store.frozen()).map(|_| ());
    let store = stirred("encoder", build)?;
    let encoder = Encoder::new(4, 5, true, image, store.frozen())?;
    let described = encoder.described(image)?;
    let (layers, _store) = main_of(&described, &store)?;
    assert_same(&layers.forward(&maps, false)?.to_tensor()?, &encoder.encode(&maps, false)?.mean)?;
    let head = &described.heads[0];
    assert_eq!(
        (head.name, head.layers.len()),
        ("log_variance", 2),
        "flattened, and a linear layer"
    );
    assert!(matches!(described.main[head.reads], Layer::Flatten));

    let build = |store: &ParamStore| Decoder::new(4, 5, image, store.frozen()).map(|_| ());
    let store = stirred("decoder", build)?;
    let decoder = Generator::Decoder(Decoder::new(4, 5, image, store.frozen())?);
    let (layers, _store) = main_of(&decoder.described(5, image)?, &store)?;
    let z = noise("z", &[2, 5])?;
    let read = FeatureMaps::from_tensor(&z.reshape((2, 5, 1, 1))?)?;
    assert_same(&layers.forward(&read, false)?.to_tensor()?, &decoder.forward_t(&z, false)?)?;

    let build = |store: &ParamStore| Classifier::new(4, 10, image, store.frozen()).map(|_| ());
    let store = stirred("classifier", build)?;
    let classifier = Classifier::new(4, 10, image, store.frozen())?;
    let (layers, _store) = main_of(&classifier.described(image, 10)?, &store)?;
    assert_same(&layers.forward(&maps, false)?.to_tensor()?, &classifier.logits(&maps, false)?)
}

#[test]
fn a_dcgan_has_the_keys_of_pytorchs_example() -> Result<()> {
    let image = ImageShape { channels: 3, height: 64, width: 64 };
    let (config, latent) = (ModelConfig::plain_dcgan(64), Latent::normal(100));
    let store = ParamStore::seeded("generator", 0, &CPU);
    let described = config.generator(&latent, image, store.frozen())?.described(100, image)?;
    let keys = |described: &Described| {
        let numbered = described.numbered_main();
        numbered
            .iter()
            .filter_map(|layer| Some((layer.key()?.to_string(), layer.kind())))
            .collect::<Vec<_>>()
    };
    let (conv, norm) = ("ConvTranspose2d", "BatchNorm2d");
    let example = [
        (0, conv),
        (1, norm),
        (3, conv),
        (4, norm),
        (6, conv),
        (7, norm),
        (9, conv),
        (10, norm),
        (12, conv),
    ];
    assert_eq!(keys(&described), example.map(|(i, kind)| (format!("main.{i}"), kind)));
    let python = module("Generator", "Latents to images.", &described);
    for line in [
        "            nn.ConvTranspose2d(100, 512, 4, 1, 0, bias=False),\n            nn.BatchNorm2d(512),\n            nn.ReLU(inplace=True),\n",
        "            nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False),\n            nn.Tanh(),\n        )\n",
        "        x = x.reshape(-1, 100, 1, 1)\n        return self.main(x)\n",
    ] {
        assert!(python.contains(line), "{python}");
    }
    let store = ParamStore::seeded("discriminator", 0, &CPU);
    let described = config.discriminator(&latent, image, store.frozen())?.described(image, None)?;
    let (conv, norm) = ("Conv2d", "BatchNorm2d");
    let example =
        [(0, conv), (2, conv), (3, norm), (5, conv), (6, norm), (8, conv), (9, norm), (11, conv)];
    assert_eq!(keys(&described), example.map(|(i, kind)| (format!("main.{i}"), kind)));
    Ok(())
}

#[test]
fn heads_and_conditions_are_described_beside_the_main_layers() -> Result<()> {
    let image = ImageShape { channels: 1, height: 28, width: 28 };
    let digit = Part {
        name: "digit".into(),
        distribution: Distribution::Categorical { classes: 10, count: 1 },
    };
    let normal = Latent::normal(4).parts()[0].clone();
    let latent = Latent::new(vec![normal, digit]);
    let config = ModelConfig { condition: Some("digit".into()), ..ModelConfig::plain_dcgan(4) };
    let store = ParamStore::seeded("discriminator", 0, &CPU);
    let described = config.discriminator(&latent, image, store.frozen())?.described(image, None)?;
    assert_eq!((described.input, described.told), ([11, 28, 28], 10));
    assert!(module("D", "", &described).contains("x = torch.cat([x, told], 1)"));

    let config = ModelConfig {
        codes: vec!["digit".into()],
        auxiliary: Some("digit".into()),
        ..ModelConfig::plain_dcgan(4)
    };
    let [d, q] = ["discriminator", "recognizer"].map(|name| ParamStore::seeded(name, 0, &CPU));
    let discriminator = config.discriminator(&latent, image, d.frozen())?;
    let recognizer = config.recognizer(&latent, &discriminator, q.frozen())?;
    let described = discriminator.described(image, recognizer.as_ref())?;
    let heads: Vec<(&str, usize)> =
        described.heads.iter().map(|head| (head.name, head.reads)).collect();
    assert_eq!(
        heads,
        [("auxiliary", 5), ("recognizer", 5)],
        "conv, leaky, conv, norm, leaky come before"
    );
    let python = module("D", "", &described);
    assert!(python.contains("return self.main[5:](features).flatten(1), self.auxiliary(features).flatten(1), self.recognizer"), "{python}");
    Ok(())
}

#[test]
fn a_generator_with_skip_z_is_no_sequence() -> Result<()> {
    let image = ImageShape { channels: 1, height: 28, width: 28 };
    let config = ModelConfig { skip_z: true, ..ModelConfig::plain_dcgan(4) };
    let store = ParamStore::seeded("generator", 0, &CPU);
    let generator = config.generator(&Latent::normal(4), image, store.frozen())?;
    let message = generator.described(4, image).expect_err("reads the latent twice").to_string();
    assert!(message.contains("blocks.1.conv reads [12, 7, 7]"), "{message}");
    Ok(())
}

#[test]
fn output_padding_and_missing_biases_are_pytorchs() -> Result<()> {
    let layers = [
        Layer::Linear { key: "a".into(), features: Some(8), bias: None },
        Layer::Reshape { shape: [2, 2, 2] },
        Layer::ConvTranspose {
            key: "b".into(),
            channels: Some(3),
            kernel: Some(3),
            stride: 2,
            padding: 1,
            output_padding: 1,
            bias: Some(false),
        },
    ];
    let (a, b) = (noise("a", &[8, 4])?, noise("b", &[2, 3, 3, 3])?);
    let tensors = HashMap::from([("a.weight".into(), a.clone()), ("b.weight".into(), b.clone())]);
    let store = ParamStore::from_tensors(tensors, &CPU);
    let network = Network::new(&layers, [4, 1, 1], &store.frozen())?;
    assert_eq!(network.output(), [3, 4, 4]);
    let x = noise("x", &[5, 4])?;
    let found = network
        .forward(&FeatureMaps::from_tensor(&x.reshape((5, 4, 1, 1))?)?, false)?
        .to_tensor()?;
    let middle = x.matmul(&a.t()?)?.reshape((5, 2, 2, 2))?;
    let expected = conv_transpose2d(&middle, &b, ConvGeometry::square(2, 1), (1, 1))?;
    let difference = (found - expected)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    assert!(difference < 1e-5, "{difference}");
    Ok(())
}

fn shapes(list: &[(&str, &[usize])]) -> Shapes {
    list.iter().map(|(name, dims)| (name.to_string(), dims.to_vec())).collect()
}

#[test]
fn what_the_tensors_say_is_filled_in() {
    let conv = |key: &str| Layer::Conv {
        key: key.into(),
        channels: None,
        kernel: None,
        stride: 2,
        padding: 1,
        bias: None,
    };
    let layers = [
        conv("0"),
        Layer::Relu,
        Layer::BatchNorm { key: "2".into() },
        Layer::Flatten,
        Layer::Linear { key: "4".into(), features: None, bias: None },
    ];
    let given = shapes(&[
        ("0.weight", &[6, 3, 4, 4]),
        ("0.bias", &[6]),
        ("2.weight", &[6]),
        ("2.bias", &[6]),
        ("2.running_mean", &[6]),
        ("2.running_var", &[6]),
        ("4.weight", &[1, 96]),
    ]);
    let fit = Fit::new(&layers, [3, 8, 8], &given);
    assert_eq!((fit.differences.len(), fit.output), (0, [1, 1, 1]));
    assert_eq!(
        fit.layers[0],
        Layer::Conv {
            key: "0".into(),
            channels: Some(6),
            kernel: Some(4),
            stride: 2,
            padding: 1,
            bias: Some(true)
        }
    );
    assert_eq!(
        fit.layers[4],
        Layer::Linear { key: "4".into(), features: Some(1), bias: Some(false) }
    );
    assert_eq!(fit.names().collect::<Vec<_>>().len(), 7);
}

#[test]
fn what_does_not_fit_is_said_with_its_shapes() {
    let conv = |bias| Layer::Conv {
        key: "0".into(),
        channels: None,
        kernel: None,
        stride: 1,
        padding: 0,
        bias,
    };
    let norm = Layer::BatchNorm { key: "1".into() };
    let last = Layer::Linear { key: "9".into(), features: None, bias: None };
    let check = |layers: &[Layer], given: &[(&str, &[usize])], expected: &str| {
        let found = Fit::new(layers, [3, 8, 8], &shapes(given)).differences.join("; ");
        assert!(found.contains(expected), "{found:?}, expected {expected:?}");
    };
    check(
        &[conv(None), last.clone()],
        &[("1.weight", &[1])],
        "0.weight is missing; 9.weight is missing",
    );
    check(
        &[conv(None)],
        &[("0.weight", &[6, 2, 4, 4])],
        "0.weight is [6, 2, 4, 4], expected [6, 3, 4, 4]",
    );
    check(&[conv(None)], &[("0.weight", &[6, 3, 4, 5])], "not square");
    check(&[conv(None)], &[("0.weight", &[6])], "expected 4 dimensions");
    check(&[conv(None)], &[("0.weight", &[6, 3, 9, 9])], "padded input 8");
    check(&[conv(Some(true))], &[("0.weight", &[6, 3, 4, 4])], "0.bias is missing, expected [6]");
    check(&[conv(Some(false))], &[("0.weight", &[6, 3, 4, 4]), ("0.bias", &[6])], "bias = false");
    check(std::slice::from_ref(&norm), &[("1.weight", &[4])], "1.weight is [4], expected [3]");
    check(&[last], &[("9.weight", &[1, 7])], "9.weight is [1, 7], expected [1, 192]");
    check(&[Layer::Reshape { shape: [1, 2, 3] }], &[("x", &[1])], "cannot be reshaped");
}

#[test]
fn layers_without_sizes_or_in_a_wrong_order_are_refused() {
    let store = ParamStore::seeded("x", 0, &CPU);
    let check = |layers: &[Layer], expected: &str| {
        let message =
            Network::new(layers, [3, 8, 8], &store.frozen()).expect_err("refused").to_string();
        assert!(message.contains(expected), "{message}");
    };
    let nameless = Layer::Conv {
        key: "0".into(),
        channels: None,
        kernel: None,
        stride: 1,
        padding: 0,
        bias: None,
    };
    check(&[nameless], "does not say how large it is");
    check(&[Layer::Flatten, Layer::Relu], "ReLU follows no layer with weights");
}
