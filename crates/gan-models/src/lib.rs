//! Models: what a latent is, where parameters live and how each network is built.
//!
//! Parameters come from an ordered, seeded [`ParamStore`], so that the same seed gives the same
//! weights on every device and in every order of construction. A network is read in one page
//! ([`dcgan`]); what it is made of is in [`layers`]. Weights that others saved are read by [`state_dict`].

pub mod autoencoder;
pub mod classifier;
pub mod config;
pub mod conv;
pub mod dcgan;
pub mod discriminator;
pub mod fc;
pub mod fc_conv;
pub mod first_layer;
pub mod generator;
pub mod infogan;
pub mod latent;
pub mod layered;
pub mod layers;
pub mod mlp;
pub mod params;
pub mod recognizer;
pub mod state_dict;
pub mod summary;

pub use config::{DiscriminatorKind, GeneratorKind, ModelConfig};
pub use discriminator::{Discriminator, Judgement};
pub use first_layer::FirstLayer;
pub use generator::Generator;
pub use latent::{Distribution, Latent, LatentBatch, Part, Truncation};
pub use layered::Layer;
pub use params::ParamStore;
pub use recognizer::{CodeEstimate, Recognizer};
pub use summary::{LayerSummary, NetworkSummary};
