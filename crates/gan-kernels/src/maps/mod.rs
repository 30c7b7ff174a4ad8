//! Batches of feature maps in the layout that the kernels compute in.

mod boundary;
mod buffers;
mod channels;
mod conv;
mod dropout;
mod norm;

use candle_core::{DType, DeviceLocation, Result, Tensor, bail};

use self::buffers::Buffers;
use crate::conv::Image;
use crate::second_order;

/// A batch of feature maps between two layers of a network.
///
/// On the CPU the values lie as `[N, H, W, C]`, where the channels of a pixel fill vectors whatever the size of the
/// map, and their gradients pass from layer to layer without a copy; candle's graph sees a scalar in their place, which
/// keeps the order of the backward pass. On other devices, and with gradients of gradients
/// (`CANDLE_GRAD_DO_NOT_DETACH=1`), they are an ordinary tensor `[N, C, H, W]`. Networks enter by
/// [`FeatureMaps::from_tensor`] and leave by [`FeatureMaps::to_tensor`]; both are differentiable, and so is every layer
/// between them.
#[derive(Clone, Debug)]
pub struct FeatureMaps {
    batch: usize,
    image: Image,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    /// `[N, C, H, W]`
    Tensor(Tensor),
    /// `[N, H, W, C]` on the CPU, and the scalar that stands for them in candle's graph.
    Cpu(Buffers, Tensor),
}

impl FeatureMaps {
    /// Maps from `x` `[N, C, H, W]`, or `[N, C]` as maps of one pixel; `f32` or `f64`.
    ///
    /// # Errors
    /// If the rank or the element type is another one, or there are no elements.
    pub fn from_tensor(x: &Tensor) -> Result<Self> {
        let (batch, channels, height, width) = match *x.dims() {
            [batch, channels] => (batch, channels, 1, 1),
            [batch, channels, height, width] => (batch, channels, height, width),
            _ => bail!("feature maps must be [N, C] or [N, C, H, W], got {:?}", x.dims()),
        };
        if x.elem_count() == 0 {
            bail!("feature maps are empty: {:?}", x.dims())
        }
        if !matches!(x.dtype(), DType::F32 | DType::F64) && x.device().is_cpu() {
            bail!("feature maps must be f32 or f64, got {:?}", x.dtype())
        }
        let image = Image { channels, height, width };
        let values = if x.device().is_cpu() && !second_order::enabled() {
            boundary::enter(x, image)?
        } else {
            Values::Tensor(x.reshape((batch, channels, height, width))?)
        };
        Ok(Self { batch, image, values })
    }

    /// `[N, C, H, W]`
    ///
    /// # Errors
    /// If the device fails.
    pub fn to_tensor(&self) -> Result<Tensor> {
        match &self.values {
            Values::Tensor(x) => Ok(x.clone()),
            Values::Cpu(buffers, node) => boundary::leave(buffers, node, self.batch, self.image),
        }
    }

    /// The same values without their history: no gradient passes.
    pub fn detach(&self) -> Self {
        let values = match &self.values {
            Values::Tensor(x) => Values::Tensor(x.detach()),
            Values::Cpu(buffers, node) => Values::Cpu(buffers.detach(), node.detach()),
        };
        self.with(self.image, values)
    }

    /// `[N, C, H, W]`
    pub fn dims(&self) -> [usize; 4] {
        [self.batch, self.image.channels, self.image.height, self.image.width]
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        match &self.values {
            Values::Tensor(x) => x.dtype(),
            Values::Cpu(buffers, _) => buffers.dtype(),
        }
    }

    /// Maps of `image` that a layer has computed.
    fn with(&self, image: Image, values: Values) -> Self {
        Self { batch: self.batch, image, values }
    }

    /// Where the values are.
    fn location(&self) -> DeviceLocation {
        match &self.values {
            Values::Tensor(x) => x.device().location(),
            Values::Cpu(..) => DeviceLocation::Cpu,
        }
    }

    /// Checks that a parameter is of the maps' type and on their device.
    fn check_parameter(&self, op: &str, name: &str, parameter: &Tensor) -> Result<()> {
        let location = parameter.device().location();
        if parameter.dtype() != self.dtype() || location != self.location() {
            bail!(
                "{op}: {name} is {:?} on {location:?}, the maps are {:?} on {:?}",
                parameter.dtype(),
                self.dtype(),
                self.location()
            )
        }
        Ok(())
    }

    /// [`Self::check_parameter`], and that there is one value a channel.
    fn check_channels(
        &self,
        op: &str,
        name: &str,
        parameter: &Tensor,
        channels: usize,
    ) -> Result<()> {
        if parameter.dims() != [channels] {
            bail!("{op}: {name} must be [{channels}], got {:?}", parameter.dims())
        }
        self.check_parameter(op, name, parameter)
    }
}
