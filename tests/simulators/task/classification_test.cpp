#include "simulators/task/classification.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>

#include "simulators/task/gaussian_classes.h"
#include "simulators/task/labelled_images.h"
#include "tests/support/long_test.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;

namespace {

std::string big_endian(std::uint32_t v) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(v >> shift & 0xff));
  return bytes;
}

// Three images of 2 x 1 pixels.
const std::string kImages =
    big_endian(0x803) + big_endian(3) + big_endian(2) + big_endian(1) + std::string("\x00\x01\x02\xff\x04\x05", 6);
const std::string kLabels = big_endian(0x801) + big_endian(3) + std::string("\x02\x00\x01", 3);

/// One record of CIFAR-10: the colours' planes hold 0, 1, 2, ... mod 251, mod 241 and mod 239.
std::string cifar_record(char label) {
  std::string record(1, label);
  for (const int modulus : {251, 241, 239}) {
    for (int p = 0; p < 1024; ++p) record.push_back(static_cast<char>(p % modulus));
  }
  return record;
}

}  // namespace

TEST_CASE("idx: pixels, labels and shape are those of the bytes, and what is not IDX is refused by name") {
  const TemporaryFolder folder;
  const std::string images = folder.write("images", kImages), labels = folder.write("labels", kLabels);
  const ImageSet set = read_idx(images, labels);
  CHECK(set.shape.height == 2);
  CHECK(set.shape.width == 1);
  CHECK(set.pixels == std::vector<std::uint8_t>{0, 1, 2, 255, 4, 5});
  CHECK(set.labels == std::vector<std::uint8_t>{2, 0, 1});

  CHECK(message_of([&] { read_idx(labels, images); }) ==
        labels +
            ": does not start with IDX's number for images (0x00000803), so this is no such file; name images and "
            "labels in this order, or choose another kind of data");
  const std::string cut = folder.write("cut", kImages.substr(0, kImages.size() - 1));
  CHECK(message_of([&] { read_idx(cut, labels); }) ==
        cut + ": the header promises 6 bytes of images, but 5 follow, so the file is cut or mixed; get the file again");
  const std::string two = folder.write("two", big_endian(0x801) + big_endian(2) + "ab");
  CHECK(message_of([&] { read_idx(images, two); }) == two + ": 2 labels for the 3 images of " + images +
                                                          ", so the two do not belong together; name those of one set");
  ClassificationConfig missing;
  missing.train_files[0] = "/nowhere/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
  CHECK(message_of([&] { load_labelled(missing); }) ==
        missing.train_files[0] +
            ": No such file or directory, so there is no data to train on; install the Debian or "
            "Ubuntu package dataset-fashion-mnist, or name your own files");
  missing.test_files = {images};
  CHECK(message_of([&] { load_labelled(missing); }) ==
        "classification.test_files names 1 files, but IDX data are one of images and one of labels; name them");
}

TEST_CASE("cifar10: the planes of red, green and blue become three channels of each pixel") {
  const TemporaryFolder folder;
  const std::string file = folder.write("batch", cifar_record(7) + cifar_record(9));
  const ImageSet set = read_cifar10({file, file});
  CHECK(set.labels == std::vector<std::uint8_t>{7, 9, 7, 9});
  const std::size_t pixel = 3 * 3072 + 3 * 500;  // pixel 500 of the last image
  CHECK(set.pixels[pixel] == 500 % 251);
  CHECK(set.pixels[pixel + 1] == 500 % 241);
  CHECK(set.pixels[pixel + 2] == 500 % 239);

  const std::string label = folder.write("label", cifar_record(7) + cifar_record(10));
  CHECK(message_of([&] { read_cifar10({label}); }) ==
        label +
            ": record 1 has the label 10, and CIFAR-10's are 0 to 9, so this is another kind of file; check the path");
  const std::string cut = folder.write("cut", cifar_record(7).substr(1));
  CHECK(message_of([&] { read_cifar10({cut}); }) ==
        cut +
            ": 3072 bytes are not whole records of 3073, so this is no file of CIFAR-10's binary version; get that "
            "one (cifar-10-binary.tar.gz, unpacked)");
}

TEST_CASE("images: pixels are normalised by the training set's mean and deviation, and every image is drawn as often") {
  const TemporaryFolder folder;
  const ImageSet set = read_idx(folder.write("images", kImages), folder.write("labels", kLabels));
  const LabelledImages source(set, set);
  CHECK(source.classes() == 3);
  CHECK(source.held_out_count() == 3);
  Matrix<float> x(3, 2);
  std::vector<std::uint16_t> labels(3);
  source.draw_held_out(0, x.view(), labels);
  CHECK(labels == std::vector<std::uint16_t>{2, 0, 1});
  const double mean = 267.0 / 6, variance = (1 + 4 + 65025 + 16 + 25) / 6.0 - mean * mean;
  CHECK(x(1, 1) == doctest::Approx((255 - mean) / std::sqrt(variance)).epsilon(1e-6));

  Matrix<float> many(3000, 2);
  std::vector<std::uint16_t> drawn(3000);
  source.draw_training(1, 0, many.view(), drawn);
  int counts[3] = {};
  for (std::int64_t r = 0; r < 3000; ++r) {
    const std::uint16_t label = drawn[static_cast<std::size_t>(r)];
    ++counts[label];
    CHECK(many(r, 1) == x(label == 2 ? 0 : label + 1, 1));
  }
  for (const int count : counts) CHECK(std::abs(count - 1000) < 5 * std::sqrt(3000 * 2.0 / 9));  // five deviations
  std::vector<std::uint16_t> again(3000), other(3000);
  source.draw_training(1, 0, many.view(), again);
  source.draw_training(1, 1, many.view(), other);
  CHECK(again == drawn);
  CHECK(other != drawn);
}

TEST_CASE("gaussian classes: the nearest mean is wrong as often as the closed form says") {
  CHECK(bayes_error(2, 3) == doctest::Approx(std::erfc(1.5 / std::sqrt(2.0)) / 2).epsilon(1e-9));
  CHECK(bayes_error(10, 0) == doctest::Approx(0.9).epsilon(1e-9));
  const GaussianClasses source(4, 10, 3);
  const int rows = 40000;
  Matrix<float> x(rows, 16);
  std::vector<std::uint16_t> labels(rows);
  source.draw_training(5, 2, x.view(), labels);
  int errors = 0;
  for (int r = 0; r < rows; ++r) {
    double best = -1e9;
    unsigned nearest = 0;
    for (unsigned k = 0; k < 10; ++k) {
      double along = 0;
      for (unsigned p = 0; p < 16; ++p) along += (std::popcount(p & (k + 1)) % 2 == 0 ? 1 : -1) * x(r, p);
      if (along > best) {
        best = along;
        nearest = k;
      }
    }
    errors += nearest != labels[static_cast<std::size_t>(r)];
  }
  const double p = bayes_error(10, 3);
  CHECK(std::abs(static_cast<double>(errors) / rows - p) < 5 * std::sqrt(p * (1 - p) / rows));
}

TEST_CASE("classification: both nets come down to the least error of their classes and stay above" * BITLAW_LONG_TEST) {
  ClassificationConfig config{.data = ClassificationConfig::Data::Gaussian, .side = 4, .classes = 4, .separation = 3};
  const auto source = load_labelled(config);
  const double least = bayes_error(4, 3);
  for (const auto& row : kClassificationNetNames) {
    CAPTURE(row.name);
    config.net = row.value;
    ClassificationTask task(config, *source, classification_shapes(config, *source, 1, 16, 64), LayerPlan{}, 64, 20000,
                            1);
    CHECK(task.evaluate(0).loss == doctest::Approx(std::log(4.0)).epsilon(1e-6));  // the head starts at zero
    const int steps = 600;
    for (int s = 0; s < steps; ++s) {
      task.forward(s);
      task.backward(1);
      const float rate = 0.1F * (1 - static_cast<float>(s) / steps);
      for (std::size_t i = 0; i < task.parameters().values().size(); ++i) {
        task.parameters().values()[i] -= rate * task.parameters().gradients()[i];
      }
    }
    const double error = task.evaluate(steps).error;
    CHECK(error > least - 4 * std::sqrt(least * (1 - least) / 20000));
    CHECK(error < least + 0.04);
  }
}
