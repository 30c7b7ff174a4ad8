//! The layers of our own models under the keys of PyTorch's DCGAN example, as large as some tensors say.

use candle_core::{Device, Tensor};
use candle_nn::ModuleT;
use gan_core::ImageShape;
use gan_kernels::FeatureMaps;
use gan_models::layered::{Shapes, numbered};
use gan_models::{Layer, ParamStore, dcgan, summary};

use crate::phase::Network;

/// A network of ours that could have some tensors.
pub(super) struct Own {
    /// The layers, each with the name of its tensors in our network and with the example's.
    pub(super) layers: Vec<(Option<String>, Layer)>,
    /// Channels, height and width of what it reads.
    pub(super) input: [usize; 3],
    /// `ngf` or `ndf`.
    pub(super) width: usize,
}

impl Own {
    /// The DCGAN that has convolutions like those among `shapes`, if there is one.
    pub(super) fn dcgan(network: Network, shapes: &Shapes) -> Option<Self> {
        let mut weights: Vec<(usize, &[usize])> = shapes
            .iter()
            .filter(|(_, dims)| dims.len() == 4)
            .filter_map(|(name, dims)| {
                let place = name.strip_prefix("main.")?.strip_suffix(".weight")?;
                Some((place.parse().ok()?, &dims[..]))
            })
            .collect();
        weights.sort_unstable();
        let [(0, first), .., (_, last)] = weights[..] else { return None };
        let (start, channels) = match network {
            Network::Generator => (first[2], last[1]),
            _ => (last[2], first[1]),
        };
        let width = if network == Network::Generator { last[0] } else { first[0] };
        // All shapes fit before a network is made: it is then as large as the file, and not as a number in it says.
        let doublings = weights.len() - 1;
        let mut c_in = if network == Network::Generator { first[0] } else { channels };
        for (i, (_, dims)) in weights.iter().enumerate() {
            let doubled = |by: usize| width.checked_shl(u32::try_from(by).ok()?);
            let (c_out, found) = match network {
                Network::Generator if i == doublings => (channels, [dims[0], dims[1]]),
                Network::Generator => (doubled(doublings - 1 - i)?, [dims[0], dims[1]]),
                _ if i == doublings => (1, [dims[1], dims[0]]),
                _ => (doubled(i)?, [dims[1], dims[0]]),
            };
            if found != [c_in, c_out] {
                return None;
            }
            c_in = c_out;
        }
        let side = start.checked_shl(u32::try_from(doublings).ok()?)?;
        let image = ImageShape { channels, height: side, width: side };
        let plan = dcgan::Plan::new(image).ok()?;
        if (plan.start, plan.doublings) != (start, doublings) {
            return None;
        }
        Self::of_plan(network, plan, width, first[0], image).ok()
    }

    /// A DCGAN as layers. Its tensors are never looked at.
    fn of_plan(
        network: Network,
        plan: dcgan::Plan,
        width: usize,
        latent: usize,
        image: ImageShape,
    ) -> candle_core::Result<Self> {
        let store = ParamStore::seeded("import", 0, &Device::Cpu);
        let zeros = |dims: &[usize]| Tensor::zeros(dims, candle_core::DType::F32, &Device::Cpu);
        let (input, layers) = match network {
            Network::Generator => {
                let network =
                    dcgan::Generator::new(plan, latent, width, false, image, store.frozen())?;
                let z = zeros(&[1, latent])?;
                let input = [latent, 1, 1];
                (input, summary::sequence(input, || network.forward_t(&z, false))?)
            }
            _ => {
                let ImageShape { channels, height, width: w } = image;
                let network = dcgan::Discriminator::new(plan, width, channels, store.frozen())?;
                let images = FeatureMaps::from_tensor(&zeros(&[1, channels, height, w])?)?;
                let forward = || network.logits_of(&network.features(&images, false)?);
                let input = [channels, height, w];
                (input, summary::sequence(input, forward)?)
            }
        };
        Ok(Self { layers: numbered(&layers, "main"), input, width })
    }
}
