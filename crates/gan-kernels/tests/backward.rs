//! The backward pass over feature maps: gradients that meet, that are not wanted, and that lie within each other.
#![allow(clippy::unwrap_used)]

mod common;

use candle_core::{Tensor, Var};
use common::layers::{assert_equal, finish, maps, weights};
use common::{assert_all_pass_on_other_instruction_sets, gradients, noise, values, var};
use gan_kernels::{Activation, ConvGeometry, FeatureMaps, backward, conv_transpose2d, conv2d};

/// Runs another backward pass in the middle of its own.
struct Another(Tensor);

impl candle_core::CustomOp1 for Another {
    fn name(&self) -> &'static str {
        "another"
    }

    fn cpu_fwd(
        &self,
        x: &candle_core::CpuStorage,
        layout: &candle_core::Layout,
    ) -> candle_core::Result<(candle_core::CpuStorage, candle_core::Shape)> {
        Ok((x.clone(), layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> candle_core::Result<Option<Tensor>> {
        backward(&self.0)?;
        Ok(Some(grad.clone()))
    }
}

/// A thread of the pool that waits for a part of one backward pass may take up another one.
#[test]
fn a_backward_pass_within_another_leaves_its_gradients_alone() {
    let (x, w) = (noise(&[2, 3, 6, 6], 1), var(&noise(&[4, 3, 3, 3], 2)));
    let geometry = ConvGeometry::square(1, 1);
    let conv =
        |x: &FeatureMaps, w: &Tensor| x.conv(w, None, geometry, Activation::Identity).unwrap();
    let sum = |maps: &FeatureMaps| maps.to_tensor().unwrap().sqr().unwrap().sum_all().unwrap();
    let (inner, second) = (sum(&conv(&maps(&x), &w)), var(&noise(&[3, 4, 3, 3], 3)));
    let loss = |between: &dyn Fn(Tensor) -> Tensor| {
        let y = between(conv(&maps(&x), &w).to_tensor().unwrap());
        sum(&conv(&maps(&y), &second))
    };
    let alone = backward(&loss(&|y| y)).unwrap();
    let nested = backward(&loss(&|y| y.apply_op1(Another(inner.clone())).unwrap())).unwrap();
    for var in [&w, &second] {
        assert_eq!(values(nested.get(var).unwrap()), values(alone.get(var).unwrap()));
    }
}

#[test]
fn two_heads_add_their_gradients() {
    let geometry = ConvGeometry::square(2, 1);
    let relu = Activation::LeakyRelu(0.2);
    let inputs = [
        noise(&[2, 3, 8, 6], 1),
        weights(&[16, 3, 4, 4], 2),
        noise(&[16], 3),
        weights(&[16, 16, 4, 4], 4), // one head: down
        weights(&[16, 5, 4, 4], 5),  // the other: up
    ];
    let both = |a: &Tensor, b: &Tensor| {
        Tensor::cat(&[&a.flatten_all().unwrap(), &b.flatten_all().unwrap()], 0).unwrap()
    };
    assert_equal(
        "two heads",
        &inputs,
        |v| {
            let trunk = maps(&v[0]).conv(&v[1], Some(&v[2]), geometry, relu).unwrap();
            let down = trunk.conv(&v[3], None, geometry, Activation::Tanh).unwrap();
            let up = trunk.conv_transpose(&v[4], None, geometry, (0, 0), Activation::Sigmoid);
            both(&down.to_tensor().unwrap(), &up.unwrap().to_tensor().unwrap())
        },
        |v| {
            let trunk = finish(&conv2d(&v[0], &v[1], geometry).unwrap(), Some(&v[2]), relu);
            let down = conv2d(&trunk, &v[3], geometry).unwrap();
            let up = conv_transpose2d(&trunk, &v[4], geometry, (0, 0)).unwrap();
            both(&finish(&down, None, Activation::Tanh), &finish(&up, None, Activation::Sigmoid))
        },
    );
}

#[test]
fn a_head_outside_of_the_loss_adds_nothing() {
    let (x, w) = (var(&noise(&[2, 3, 4, 4], 1)), var(&weights(&[3, 3, 3, 3], 2)));
    let geometry = ConvGeometry::square(1, 1);
    let layer = |x: &FeatureMaps| x.conv(&w, None, geometry, Activation::Tanh).unwrap();
    let trunk = layer(&maps(&x));
    let direction = noise(&[2, 3, 4, 4], 3);
    let alone = gradients(&trunk.to_tensor().unwrap(), &direction, &[&x, &w]);
    let unused = layer(&trunk).to_tensor().unwrap();
    let grads = gradients(&trunk.to_tensor().unwrap(), &direction, &[&x, &w]);
    assert_eq!(values(&grads[0]), values(&alone[0]));
    assert_eq!(values(&grads[1]), values(&alone[1]));
    drop(unused);
}

#[test]
fn a_parameter_used_more_than_once_gets_the_sum() {
    let geometry = ConvGeometry::square(1, 1);
    let inputs = [noise(&[2, 16, 5, 6], 1), weights(&[16, 16, 3, 3], 2), noise(&[16], 3)];
    let tanh = Activation::Tanh;
    // A penalty on the weight: a gradient that candle adds up itself.
    let with_penalty = |y: &Tensor, w: &Tensor| {
        let penalty = (w.sqr().unwrap() * 0.1).unwrap().sum_all().unwrap();
        y.broadcast_add(&penalty).unwrap()
    };
    assert_equal(
        "thrice the same layer",
        &inputs,
        |v| {
            let layer = |x: FeatureMaps| x.conv(&v[1], Some(&v[2]), geometry, tanh).unwrap();
            let y = layer(layer(layer(maps(&v[0])))).to_tensor().unwrap();
            with_penalty(&y, &v[1])
        },
        |v| {
            let layer =
                |x: &Tensor| finish(&conv2d(x, &v[1], geometry).unwrap(), Some(&v[2]), tanh);
            with_penalty(&layer(&layer(&layer(&v[0]))), &v[1])
        },
    );
}

#[test]
fn a_view_of_a_parameter_passes_the_gradient_on() {
    let geometry = ConvGeometry::square(2, 1);
    let inputs = [noise(&[2, 4, 6, 6], 1), weights(&[4, 6, 4, 4], 2), noise(&[12], 3)];
    let views = |v: &[Var]| {
        (v[1].transpose(0, 1).unwrap(), v[2].reshape((6, 2)).unwrap().narrow(1, 1, 1).unwrap())
    };
    assert_equal(
        "views",
        &inputs,
        |v| {
            let (weight, bias) = views(v);
            let bias = bias.squeeze(1).unwrap();
            let y = maps(&v[0]).conv(&weight, Some(&bias), geometry, Activation::Tanh).unwrap();
            y.to_tensor().unwrap()
        },
        |v| {
            let (weight, bias) = views(v);
            finish(&conv2d(&v[0], &weight, geometry).unwrap(), Some(&bias), Activation::Tanh)
        },
    );
}

#[test]
fn all_holds_on_every_instruction_set() {
    assert_all_pass_on_other_instruction_sets();
}
