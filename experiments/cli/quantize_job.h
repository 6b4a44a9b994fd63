#pragma once

#include <string>

#include "experiments/cli/quantize_file.h"

namespace bitlaw {

/// Thrown when the caller of quantize_file() said stop.
struct QuantizeStopped {};

/// One run from the reader to the writer.
struct QuantizeJob {
  const QuantizePlan& plan;
  ArrayReader& reader;
  ArrayWriter& writer;
  RoundingStatistics& statistics;
  const ElementsDone& go_on;

  void report(std::int64_t done) const {
    if (!go_on(done, reader.info().count())) throw QuantizeStopped();
  }
};

/// What HDF5 files say of their numbers; `content`: "values", "codes".
hdf5::TextAttributes attributes_of(const QuantizePlan& plan, const std::string& content);

/// Converts the whole array in blocks, and writes their codes and scales where asked.
std::optional<StoredBlocks> convert_blocks(const QuantizeJob& job);

}  // namespace bitlaw
