#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/format/catalog.h"
#include "core/format/codebook.h"

namespace bitlaw {

/// What one element of an array is stored as: a format whose values follow from its bits, or a list of values.
using Element = std::variant<FormatSpec, Codebook>;

/// How codebooks are written, for people to read.
inline constexpr std::string_view kCodebookPattern = "nf4, logN:steps=S (N 2-8, S 1-64) or codebook[V,V,...]";

/// The codebook that `name` means, as kCodebookPattern says; nothing where it is not the name of a codebook at all.
/// The values of a list are in the order of their codes. InputError without a place where the list or the numbers are
/// wrong.
std::optional<Codebook> parse_codebook(std::string_view name);

/// One value of such a list, read as float32 from its decimal digits at once. InputError without a place where it is no
/// number or beyond float32.
float parse_codebook_value(std::string_view text);

/// parse_codebook, else parse_format.
Element parse_element(std::string_view name);

/// The name that parse_element turns into the same element.
std::string element_name(const Element& element);
std::string codebook_name(const Codebook& book);

}  // namespace bitlaw
