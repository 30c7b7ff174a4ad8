//! The layers of our own models under the keys of PyTorch's DCGAN example, as large as some tensors say.

use candle_core::Device;
use gan_core::ImageShape;
use gan_models::layered::{Described, Shapes};
use gan_models::{Latent, ModelConfig, ParamStore, dcgan};

use crate::phase::Network;

/// A network of ours that could have some tensors.
pub(super) struct Own {
    /// Its layers, with the names of their tensors in our network.
    pub(super) described: Described,
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
        Self::new(network, width, first[0], image).ok()
    }

    /// A DCGAN as layers. Its tensors are never looked at.
    fn new(
        network: Network,
        width: usize,
        latent: usize,
        image: ImageShape,
    ) -> candle_core::Result<Self> {
        let store = ParamStore::seeded("import", 0, &Device::Cpu);
        let config = ModelConfig::plain_dcgan(width);
        let latent = Latent::normal(latent);
        let described = match network {
            Network::Generator => {
                let network = config.generator(&latent, image, store.frozen())?;
                network.described(latent.encoded_size(), image)?
            }
            _ => config.discriminator(&latent, image, store.frozen())?.described(image, None)?,
        };
        Ok(Self { described, width })
    }
}
