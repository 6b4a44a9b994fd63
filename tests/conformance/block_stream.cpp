// Gives block_oracle_test.py an operand in blocks:
//   block_stream PRESET ROWS COLS [CHOICE=WORD...]
// CHOICE is shape, size, rule, scale_round, order, store, scaling or search, in the words of core/block/block_spec.h;
// the float32 matrix comes from standard input, blocks run along its rows. Output, raw, in the machine's byte order:
// the float32 values, then a code per element in a byte, the bytes of the scales, and the tensor scale as float32 where
// there is one.

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/block/block_presets.h"
#include "core/block/block_storage.h"
#include "core/block/quantize_blocks.h"
#include "tests/conformance/raw_stream.h"

using namespace bitlaw;

namespace {

void apply(BlockSpec& spec, std::string_view choice) {
  const std::size_t equals = choice.find('=');
  if (equals == std::string_view::npos) throw InputError(fmt::format("'{}' is no CHOICE=WORD", choice));
  const std::string_view key = choice.substr(0, equals), word = choice.substr(equals + 1);
  if (key == "shape") {
    spec.shape = named(kBlockShapeNames, word);
  } else if (key == "rule") {
    spec.rule = named(kScaleRuleNames, word);
  } else if (key == "scale_round") {
    spec.scale_rounding.mode = named(kRoundingModeNames, word);
  } else if (key == "order") {
    spec.order = named(kTensorOrderNames, word);
  } else if (key == "store") {
    spec.store = named(kTensorStoreNames, word);
  } else if (key == "scaling") {
    spec.scaling = named(kElementScalingNames, word);
  } else if (key == "search") {
    spec.search = named(kScaleSearchNames, word);
  } else if (key == "size") {
    spec.size = std::stoi(std::string(word));
  } else {
    throw InputError(fmt::format("unknown choice '{}'", key));
  }
}

void run(std::span<char*> arguments) {
  if (arguments.size() < 3) throw InputError("usage: see the head of block_stream.cpp");
  BlockSpec spec = block_preset(arguments[0]).value();
  for (const char* choice : arguments.subspan(3)) apply(spec, choice);
  std::vector<float> x = read_input<float>();
  const MatrixView<float> view(x.data(), std::stol(arguments[1]), std::stol(arguments[2]));
  if (view.size() != static_cast<std::int64_t>(x.size())) throw InputError("the input is not of that shape");
  const BlockStorage storage = pack_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, view);
  quantize_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, view, view, {});
  std::vector<std::uint8_t> codes(x.size());
  unpack_codes(spec.element_bits(), storage.order, storage.codes, codes);
  write_output<float>(x);
  write_output<std::uint8_t>(codes);
  write_output<std::uint8_t>(storage.scales);
  if (storage.tensor_scale) write_output<float>(std::span(&*storage.tensor_scale, 1));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
