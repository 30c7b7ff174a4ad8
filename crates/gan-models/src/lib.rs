//! Models: what a latent is, where parameters live and how each network is built.
//!
//! Parameters come from an ordered, seeded [`ParamStore`], so that the same seed gives the same
//! weights on every device and in every order of construction. A network is read in one page
//! ([`dcgan`]); what it is made of is in [`layers`].

pub mod config;
pub mod dcgan;
pub mod latent;
pub mod layers;
pub mod params;
pub mod summary;

pub use config::{Discriminator, DiscriminatorKind, Generator, GeneratorKind, ModelConfig};
pub use latent::{Latent, LatentBatch, Part};
pub use params::ParamStore;
pub use summary::{LayerSummary, NetworkSummary};
