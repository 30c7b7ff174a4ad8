//! The backward pass, with the gradients of parameters kept out of candle's sums.

use std::cell::RefCell;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, TensorId};

use crate::element::{cpu, slice, with_element};
use crate::elementwise::add_in_place;

thread_local! {
    /// Gradients of variables that layers have computed, while [`backward`] runs on this thread.
    static COLLECTED: RefCell<Option<Vec<(Tensor, Tensor)>>> = const { RefCell::new(None) };
}

/// The gradients of a scalar `loss`, as [`Tensor::backward`] computes them.
///
/// candle adds every gradient to zeros. Here the layers of [`crate::FeatureMaps`] hand the gradients of their
/// parameters over instead, which are added only where a parameter was used more than once.
///
/// # Errors
/// If an operation cannot be differentiated, or `loss` is not a scalar.
pub fn backward(loss: &Tensor) -> Result<GradStore> {
    /// Ends the collection, even if candle panics, and goes on with the one around it: a thread of the pool that waits
    /// for a part of one backward pass may run another one meanwhile.
    struct Collection(Option<Vec<(Tensor, Tensor)>>);
    impl Drop for Collection {
        fn drop(&mut self) {
            COLLECTED.set(self.0.take());
        }
    }
    let collection = Collection(COLLECTED.replace(Some(Vec::new())));
    let store = loss.backward();
    let collected = COLLECTED.take().unwrap_or_default();
    drop(collection);
    let mut store = store?;
    let mut sums: Vec<(TensorId, Tensor, Tensor)> = Vec::new();
    for (parameter, gradient) in collected {
        match sums.iter_mut().find(|(id, ..)| *id == parameter.id()) {
            Some((.., sum)) => *sum = add(sum, &gradient)?,
            None => sums.push((parameter.id(), parameter, gradient)),
        }
    }
    for (_, parameter, gradient) in sums {
        let gradient = match store.get(&parameter) {
            Some(other) => add(other, &gradient)?,
            None => gradient,
        };
        store.insert(&parameter, gradient);
    }
    Ok(store)
}

/// What an op returns to candle as the gradient of `parameter`: nothing where [`backward`] collects it.
pub(crate) fn hand_over(parameter: &Tensor, gradient: Tensor) -> Option<Tensor> {
    if !parameter.is_variable() {
        return Some(gradient);
    }
    COLLECTED.with_borrow_mut(|collected| match collected {
        Some(collected) => {
            collected.push((parameter.clone(), gradient));
            None
        }
        None => Some(gradient),
    })
}

/// `a + b` of contiguous tensors on the CPU, on all threads.
fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let ((a_storage, a_layout), (b_storage, b_layout)) =
        (a.storage_and_layout(), b.storage_and_layout());
    let (a_storage, b_storage) = (cpu(&a_storage)?, cpu(&b_storage)?);
    with_element!(a_storage, "backward", T => {
        let mut sum = slice::<T>(a_storage, a_layout)?.to_vec();
        add_in_place(&mut sum, slice::<T>(b_storage, b_layout)?);
        Tensor::from_vec(sum, a.shape(), a.device())
    })
}
