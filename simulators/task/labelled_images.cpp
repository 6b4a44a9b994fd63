#include "simulators/task/labelled_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/fingerprint.h"
#include "core/random/philox.h"
#include "simulators/task/normal.h"
#include "simulators/task/unpacked_file.h"

namespace bitlaw {
namespace {

constexpr std::uint32_t kIdxImages = 0x803, kIdxLabels = 0x801;  // unsigned bytes in 3 dimensions and in 1
constexpr ImageShape kCifar{.height = 32, .width = 32, .channels = 3};

std::uint32_t big_endian(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 |
         bytes[at + 3];
}

/// The sizes in the header of an IDX file, which then is cut off `bytes`.
std::vector<std::int64_t> take_idx_header(const std::string& file, std::string_view what, std::uint32_t magic,
                                          std::vector<std::uint8_t>& bytes) {
  const std::size_t dimensions = magic & 0xff, header = 4 + 4 * dimensions;
  if (bytes.size() < header || big_endian(bytes, 0) != magic) {
    throw InputError(
        fmt::format("{}: does not start with IDX's number for {} ({:#010x}), so this is no such file; name "
                    "images and labels in this order, or choose another kind of data",
                    file, what, magic));
  }
  std::vector<std::int64_t> sizes;
  double product = 1;  // exact wherever it could be the size of a file
  for (std::size_t d = 0; d < dimensions; ++d) {
    sizes.push_back(big_endian(bytes, 4 + 4 * d));
    product *= static_cast<double>(sizes.back());
  }
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header));
  if (product == 0 || product != static_cast<double>(bytes.size())) {
    throw InputError(
        fmt::format("{}: the header promises {} bytes of {}, but {} follow, so the file is cut or mixed; "
                    "get the file again",
                    file, product, what, bytes.size()));
  }
  return sizes;
}

/// Adds one of CIFAR-10's records, whose colours come one after the other.
void append_record(const std::uint8_t* record, ImageSet& set) {
  set.labels.push_back(record[0]);
  for (std::int64_t pixel = 0; pixel < kCifar.pixels(); ++pixel) {
    for (std::int64_t c = 0; c < kCifar.channels; ++c) {
      set.pixels.push_back(record[1 + c * kCifar.pixels() + pixel]);
    }
  }
}

/// What each byte becomes: mean 0 and variance 1 over the set, worked out from whole numbers.
std::vector<float> normalisation(const std::vector<std::uint8_t>& pixels) {
  std::uint64_t sum = 0, squares = 0;
  for (const std::uint64_t v : pixels) {
    sum += v;
    squares += v * v;
  }
  const auto n = static_cast<double>(pixels.size());
  const double mean = static_cast<double>(sum) / n;
  const double deviation = std::sqrt(static_cast<double>(squares) / n - mean * mean);
  if (deviation == 0) {
    throw InputError("all pixels of the training images are equal, so there is nothing to tell apart; check the files");
  }
  std::vector<float> table(256);
  for (int v = 0; v < 256; ++v) table[static_cast<std::size_t>(v)] = static_cast<float>((v - mean) / deviation);
  return table;
}

}  // namespace

ImageSet read_idx(const std::string& images, const std::string& labels) {
  ImageSet set;
  set.pixels = read_unpacked(images, "data");
  const std::vector<std::int64_t> sizes = take_idx_header(images, "images", kIdxImages, set.pixels);
  set.shape = {.height = sizes[1], .width = sizes[2], .channels = 1};
  set.labels = read_unpacked(labels, "data");
  take_idx_header(labels, "labels", kIdxLabels, set.labels);
  if (set.count() != sizes[0]) {
    throw InputError(
        fmt::format("{}: {} labels for the {} images of {}, so the two do not belong together; name those "
                    "of one set",
                    labels, set.count(), sizes[0], images));
  }
  return set;
}

ImageSet read_cifar10(const std::vector<std::string>& files) {
  constexpr std::size_t kRecord = 1 + static_cast<std::size_t>(kCifar.size());
  ImageSet set;
  set.shape = kCifar;
  for (const std::string& file : files) {
    const std::vector<std::uint8_t> bytes = read_unpacked(file, "data");
    if (bytes.size() % kRecord != 0) {
      throw InputError(
          fmt::format("{}: {} bytes are not whole records of {}, so this is no file of CIFAR-10's binary "
                      "version; get that one (cifar-10-binary.tar.gz, unpacked)",
                      file, bytes.size(), kRecord));
    }
    for (std::size_t at = 0; at < bytes.size(); at += kRecord) {
      if (bytes[at] > 9) {
        throw InputError(
            fmt::format("{}: record {} has the label {}, and CIFAR-10's are 0 to 9, so this is another "
                        "kind of file; check the path",
                        file, at / kRecord, bytes[at]));
      }
      append_record(bytes.data() + at, set);
    }
  }
  return set;
}

LabelledImages::LabelledImages(ImageSet training, ImageSet held_out)
    : training_(std::move(training)), held_out_(std::move(held_out)), normalised_(normalisation(training_.pixels)) {
  const ImageShape &a = training_.shape, &b = held_out_.shape;
  if (a.height != b.height || a.width != b.width || a.channels != b.channels) {
    throw InputError(
        fmt::format("training images are {} x {} and held-out images {} x {}, so one model cannot take "
                    "both; name files of one set",
                    a.height, a.width, b.height, b.width));
  }
  classes_ = 1 + std::max(*std::ranges::max_element(training_.labels), *std::ranges::max_element(held_out_.labels));
  std::string all;
  for (const ImageSet* set : {&training_, &held_out_}) {
    all.append(set->pixels.begin(), set->pixels.end());
    all.append(set->labels.begin(), set->labels.end());
  }
  fingerprint_ = bitlaw::fingerprint(all);
}

void LabelledImages::draw_training(std::uint64_t seed, std::int64_t step, MatrixView<float> x,
                                   std::span<std::uint16_t> labels) const {
  const RandomStream stream = training_stream(seed, step, kLabelSlot);
  for (std::size_t r = 0; r < labels.size(); ++r) {
    const std::uint64_t bits = random_bits(stream, r);
    copy(training_, bits * training_.labels.size() >> 32, x.row(static_cast<std::int64_t>(r)), labels[r]);
  }
}

void LabelledImages::draw_held_out(std::int64_t first, MatrixView<float> x, std::span<std::uint16_t> labels) const {
  for (std::size_t r = 0; r < labels.size(); ++r) {
    copy(held_out_, static_cast<std::size_t>(first) + r, x.row(static_cast<std::int64_t>(r)), labels[r]);
  }
}

void LabelledImages::copy(const ImageSet& set, std::size_t image, float* row, std::uint16_t& label) const {
  const auto size = static_cast<std::size_t>(set.shape.size());
  label = set.labels[image];
  for (std::size_t i = 0; i < size; ++i) row[i] = normalised_[set.pixels[image * size + i]];
}

}  // namespace bitlaw
