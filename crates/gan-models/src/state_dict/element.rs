//! Types of elements, as PyTorch and safetensors name them and as candle has them.

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;

/// A type of elements that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Element {
    /// One that candle has.
    Same(DType),
    /// 8 bits with a sign, which become 16.
    I8,
    /// 16 bits without a sign, which become 32.
    U16,
}

impl Element {
    /// That of a class of storages, such as `FloatStorage`; else the name of the type that candle lacks.
    pub(super) fn of_storage(class: &str) -> Result<Self, &str> {
        Ok(Self::Same(match class {
            "DoubleStorage" => DType::F64,
            "FloatStorage" => DType::F32,
            "HalfStorage" => DType::F16,
            "BFloat16Storage" => DType::BF16,
            "LongStorage" => DType::I64,
            "IntStorage" => DType::I32,
            "ShortStorage" => DType::I16,
            // Bytes without a type of their own are PyTorch's uint8.
            "ByteStorage" | "BoolStorage" | "UntypedStorage" => DType::U8,
            "CharStorage" => return Ok(Self::I8),
            "ComplexFloatStorage" => return Err("complex64"),
            "ComplexDoubleStorage" => return Err("complex128"),
            other => return Err(other),
        }))
    }

    /// That of PyTorch's `torch.float32` and so on.
    pub(super) fn of_dtype(name: &str) -> Result<Self, &str> {
        Ok(Self::Same(match name {
            "float64" => DType::F64,
            "float32" => DType::F32,
            "float16" => DType::F16,
            "bfloat16" => DType::BF16,
            "float8_e4m3fn" => DType::F8E4M3,
            "int64" => DType::I64,
            "int32" => DType::I32,
            "int16" => DType::I16,
            "uint32" => DType::U32,
            "uint8" | "bool" => DType::U8,
            "int8" => return Ok(Self::I8),
            "uint16" => return Ok(Self::U16),
            other => return Err(other),
        }))
    }

    /// That of safetensors.
    pub(super) fn of_safetensors(dtype: Dtype) -> Option<Self> {
        Some(Self::Same(match dtype {
            Dtype::F64 => DType::F64,
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F8_E4M3 => DType::F8E4M3,
            Dtype::I64 => DType::I64,
            Dtype::I32 => DType::I32,
            Dtype::I16 => DType::I16,
            Dtype::U32 => DType::U32,
            Dtype::U8 | Dtype::BOOL => DType::U8,
            Dtype::I8 => return Some(Self::I8),
            Dtype::U16 => return Some(Self::U16),
            _ => return None,
        }))
    }

    /// Bytes of one in a file.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Same(dtype) => dtype.size_in_bytes(),
            Self::I8 => 1,
            Self::U16 => 2,
        }
    }

    /// Bytes of one in memory.
    pub(super) fn size_in_memory(self) -> usize {
        match self {
            Self::Same(dtype) => dtype.size_in_bytes(),
            Self::I8 | Self::U16 => 2 * self.size(),
        }
    }

    /// A tensor of elements that lie one behind the other, in the machine's order of bytes.
    pub(super) fn tensor(self, bytes: &[u8], shape: &[usize]) -> candle_core::Result<Tensor> {
        match self {
            Self::Same(dtype) => Tensor::from_raw_buffer(bytes, dtype, shape, &Device::Cpu),
            Self::I8 => {
                let wide = bytes.iter().map(|byte| i16::from(byte.cast_signed()));
                Tensor::from_vec(wide.collect(), shape, &Device::Cpu)
            }
            Self::U16 => {
                let wide = bytes.as_chunks().0.iter().map(|pair| u16::from_ne_bytes(*pair).into());
                Tensor::from_vec(wide.collect::<Vec<u32>>(), shape, &Device::Cpu)
            }
        }
    }
}

/// Refuses shapes, in words, with which candle could not reckon: it multiplies their sizes unchecked, also
/// those beside one of 0.
pub(super) fn check_shape(shape: &[usize]) -> Result<(), String> {
    if shape.len() > MAX_DIMS {
        return Err(format!("{} dimensions", shape.len()));
    }
    let product = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size.max(&1)));
    let fits = product.is_some_and(|n| n <= isize::MAX as usize / 8);
    if fits { Ok(()) } else { Err(format!("{shape:?}")) }
}

/// As PyTorch's own loops have it.
pub(super) const MAX_DIMS: usize = 64;
