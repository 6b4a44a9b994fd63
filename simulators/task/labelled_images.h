#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulators/task/labelled_source.h"

namespace bitlaw {

/// Images of a file and their classes.
struct ImageSet {
  ImageShape shape;
  std::vector<std::uint8_t> pixels;  ///< [images, H W C]
  std::vector<std::uint8_t> labels;

  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

/// An IDX pair (LeCun's MNIST, Fashion-MNIST): images of magic 0x00000803 with their number, height and width, labels
/// of magic 0x00000801 with their number, all big-endian, then bytes. gzip is unpacked. InputError, naming the file and
/// the remedy, when one is missing, broken, of another kind or the two do not belong together.
ImageSet read_idx(const std::string& images, const std::string& labels);

/// CIFAR-10's binary version (Krizhevsky 2009): records of a label 0 to 9 and 32 x 32 bytes of red, of green and of
/// blue. The files' images one after the other. InputError as above.
ImageSet read_cifar10(const std::vector<std::string>& files);

/// Two sets. A pixel v becomes (v - mean) / deviation, with mean and standard deviation of all bytes of the training
/// set; training draws with replacement.
class LabelledImages : public LabelledSource {
 public:
  /// InputError when the two differ in shape.
  LabelledImages(ImageSet training, ImageSet held_out);

  ImageShape shape() const override { return training_.shape; }
  int classes() const override { return classes_; }
  void draw_training(std::uint64_t seed, std::int64_t step, MatrixView<float> x,
                     std::span<std::uint16_t> labels) const override;
  void draw_held_out(std::int64_t first, MatrixView<float> x, std::span<std::uint16_t> labels) const override;
  std::int64_t held_out_count() const override { return held_out_.count(); }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  void copy(const ImageSet& set, std::size_t image, float* row, std::uint16_t& label) const;

  ImageSet training_, held_out_;
  int classes_;
  std::vector<float> normalised_;  ///< what each byte becomes
  std::string fingerprint_;
};

}  // namespace bitlaw
