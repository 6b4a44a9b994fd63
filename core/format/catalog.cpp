#include "core/format/catalog.h"

#include <algorithm>
#include <array>

namespace bitlaw {
namespace {

constexpr std::string_view kIeee754 = "IEEE 754-2019, Table 3.5";
constexpr std::string_view kOfp8 = "OCP 8-bit Floating Point Specification (OFP8) v1.0, Table 1";
constexpr std::string_view kMx = "OCP Microscaling Formats (MX) v1.0, section 5.3";
constexpr std::string_view kP3109 = "IEEE P3109 interim report v4.0, signed extended";

constexpr std::string_view kInteger = "two's complement; ',symmetric' leaves the most negative value out";

constexpr std::array kCatalogFormats{
    CatalogEntry{"binary64", kBinary64, kIeee754},
    CatalogEntry{"float64", kBinary64, kIeee754},
    CatalogEntry{"binary32", kBinary32, kIeee754},
    CatalogEntry{"float32", kBinary32, kIeee754},
    CatalogEntry{"binary16", kBinary16, kIeee754},
    CatalogEntry{"float16", kBinary16, kIeee754},
    CatalogEntry{"bfloat16", kBfloat16, "Intel, BFLOAT16 Hardware Numerics Definition, 2018"},
    CatalogEntry{"tf32", kTf32, "NVIDIA A100 whitepaper, 2020: binary32 with a 10-bit fraction"},
    CatalogEntry{"e4m3", kE4M3, kOfp8},
    CatalogEntry{"e4m3fn", kE4M3, kOfp8},
    CatalogEntry{"e5m2", kE5M2, kOfp8},
    CatalogEntry{"e4m3_ieee", kE4M3Ieee, "StableHLO RFC 20240808, f8E4M3"},
    CatalogEntry{"e3m4", kE3M4, "StableHLO RFC 20240808, f8E3M4"},
    CatalogEntry{"e4m3fnuz", kE4M3Fnuz, "StableHLO RFC 20230321; Noune et al. 2022, arXiv:2206.02915"},
    CatalogEntry{"e5m2fnuz", kE5M2Fnuz, "StableHLO RFC 20230321; Noune et al. 2022, arXiv:2206.02915"},
    CatalogEntry{"e4m3b11fnuz", kE4M3B11Fnuz, "StableHLO RFC 20230309, f8E4M3B11FNUZ"},
    CatalogEntry{"binary8p3", kBinary8p3, kP3109},
    CatalogEntry{"binary8p4", kBinary8p4, kP3109},
    CatalogEntry{"binary8p5", kBinary8p5, kP3109},
    CatalogEntry{"e3m2", kE3M2, kMx},
    CatalogEntry{"e2m3", kE2M3, kMx},
    CatalogEntry{"e2m1", kE2M1, kMx},
    CatalogEntry{"e1m2", kE1M2, "Huawei CANN, float4_e1m2: bias 1, no infinity, no NaN"},
    CatalogEntry{"e3m0", kE3M0, "Liu et al. 2023, arXiv:2310.16836: FP4 with three exponent bits"},
    CatalogEntry{"e8m0", kE8M0, "OCP Microscaling Formats (MX) v1.0, section 5.4"},
    CatalogEntry{"ue4m3", kUE4M3, "NVIDIA NVFP4: the scale is E4M3 with a sign of 0"},
    CatalogEntry{"ue5m3", kUE5M3, "arXiv:2609.02846: top exponent reserved, max 61440"},
    CatalogEntry{"ue5m3_114688", kUE5M3Max114688, "NVIDIA TransformerEngine PR 3325: only 0xFF reserved, max 114688"},
    CatalogEntry{"int2", integer_format(2), kInteger},
    CatalogEntry{"int3", integer_format(3), kInteger},
    CatalogEntry{"int4", kInt4, kInteger},
    CatalogEntry{"int5", integer_format(5), kInteger},
    CatalogEntry{"int6", integer_format(6), kInteger},
    CatalogEntry{"int7", integer_format(7), kInteger},
    CatalogEntry{"int8", kInt8, kInteger},
    CatalogEntry{"mxint8", kMxInt8, "OCP Microscaling Formats (MX) v1.0, section 5.3.4: steps of 2^-6"},
};
static_assert(std::all_of(kCatalogFormats.begin(), kCatalogFormats.end(),
                          [](const CatalogEntry& e) { return e.spec.is_valid() && e.spec.is_exact_in_double(); }));

}  // namespace

std::span<const CatalogEntry> format_catalog() { return kCatalogFormats; }

}  // namespace bitlaw
