#include "core/record/array_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/record/npy.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kHdf5Overhead = 1 << 14;  ///< bytes of an HDF5 file with one dataset, its numbers aside

constexpr std::array<std::string_view, 3> kHdf5Extensions{".h5", ".hdf5", ".hdf"};

bool is_hdf5(const fs::path& file) {
  return std::find(kHdf5Extensions.begin(), kHdf5Extensions.end(), file.extension().string()) != kHdf5Extensions.end();
}

/// The size [bytes] of a file that arrays can be read from.
std::uintmax_t size_of(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) refuse_reading(file, error ? error.message() : "No such file or directory");
  if (fs::is_directory(status)) refuse_reading(file, "it is a folder, not a file");
  if (!fs::is_regular_file(status)) {
    throw InputError(
        fmt::format("{}: is a pipe or a device, so how many numbers it holds is not known; write them to a file before",
                    file.string()));
  }
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) refuse_reading(file, error.message());
  return size;
}

std::ifstream open_stream(const fs::path& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) refuse_reading(file, system_reason());
  return in;
}

/// .npy behind its header, or raw numbers.
class StreamReader : public ArrayReader {
 public:
  StreamReader(ArrayInfo array, bool big_endian, fs::path file, std::ifstream in)
      : ArrayReader(std::move(array)), big_endian_(big_endian), file_(std::move(file)), in_(std::move(in)) {}

  void read(std::span<std::byte> bytes) override {
    errno = 0;
    in_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!in_) refuse_reading(file_, in_.eof() ? "it became shorter meanwhile" : system_reason());
    if (!big_endian_) return;
    const std::size_t size = bitlaw::info(info().type).bytes;
    for (std::size_t i = 0; i < bytes.size(); i += size) std::reverse(&bytes[i], &bytes[i] + size);
  }

 private:
  bool big_endian_;
  fs::path file_;
  std::ifstream in_;
};

class Hdf5Reader : public ArrayReader {
 public:
  explicit Hdf5Reader(std::unique_ptr<hdf5::ArrayDataset> dataset)
      : ArrayReader({.type = dataset->type(), .shape = dataset->shape()}), dataset_(std::move(dataset)) {}

  void read(std::span<std::byte> bytes) override { dataset_->read(bytes); }

 private:
  std::unique_ptr<hdf5::ArrayDataset> dataset_;
};

/// The float of a descr such as "<f4"; nothing for other elements.
std::optional<NumberType> float_of_descr(std::string_view descr) {
  for (const NumberTypeInfo& row : kNumberTypes) {
    if (is_float(row.type) && !row.npy.empty() && descr.substr(1) == row.npy.substr(1)) return row.type;
  }
  return std::nullopt;
}

std::unique_ptr<ArrayReader> open_npy(const fs::path& file) {
  const std::uintmax_t size = size_of(file);
  std::ifstream in = open_stream(file);
  const NpyHeader header = read_npy_header(in, file.string());
  const std::string_view order = std::string_view(header.descr).substr(0, 1);
  const auto type = order == "<" || order == ">" ? float_of_descr(header.descr) : std::nullopt;
  if (!type) {
    throw InputError(
        fmt::format("{}: its elements are '{}', not float16, float32 or float64, so they cannot be "
                    "rounded; convert them, in NumPy with x.astype('float32')",
                    file.string(), header.descr));
  }
  ArrayInfo array{
      .type = *type, .fortran_order = header.fortran_order && header.shape.size() > 1, .shape = header.shape};
  const auto bytes = array.count() * static_cast<std::int64_t>(info(*type).bytes);
  const auto there = static_cast<std::int64_t>(size) - static_cast<std::int64_t>(in.tellg());
  if (there < bytes) {
    throw InputError(
        fmt::format("{}: holds {} bytes of numbers where its header promises {}, so it is incomplete; "
                    "copy or write it again",
                    file.string(), there, bytes));
  }
  return std::make_unique<StreamReader>(std::move(array), order == ">", file, std::move(in));
}

std::unique_ptr<ArrayReader> open_raw(const fs::path& file, NumberType type) {
  const std::uintmax_t bytes = size_of(file);
  std::ifstream in = open_stream(file);
  if (bytes % info(type).bytes != 0) {
    throw InputError(
        fmt::format("{}: has {} bytes, which is no whole number of {}, so its numbers have another type; "
                    "say which with --dtype",
                    file.string(), bytes, info(type).name));
  }
  const auto count = static_cast<std::int64_t>(bytes / info(type).bytes);
  return std::make_unique<StreamReader>(ArrayInfo{.type = type, .shape = {count}}, false, file, std::move(in));
}

std::unique_ptr<ArrayReader> open_hdf5(const ArrayPlace& place) {
  size_of(place.file);
  open_stream(place.file);  // for the system's reason when it cannot be read
  return std::make_unique<Hdf5Reader>(std::make_unique<hdf5::ArrayDataset>(place.file, place.dataset));
}

}  // namespace

std::string ArrayPlace::to_string() const { return dataset.empty() ? file.string() : file.string() + ":" + dataset; }

ArrayPlace parse_array_place(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon != std::string::npos && is_hdf5(text.substr(0, colon))) {
    return {ArrayPlace::Kind::Hdf5, text.substr(0, colon), text.substr(colon + 1)};
  }
  const fs::path file = text;
  if (is_hdf5(file)) return {ArrayPlace::Kind::Hdf5, file, ""};
  return {file.extension() == ".npy" ? ArrayPlace::Kind::Npy : ArrayPlace::Kind::Raw, file, ""};
}

std::optional<NumberType> type_of_extension(const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".f16") return NumberType::Float16;
  if (extension == ".bf16") return NumberType::BFloat16;
  if (extension == ".f32") return NumberType::Float32;
  if (extension == ".f64") return NumberType::Float64;
  return std::nullopt;
}

std::int64_t ArrayInfo::count() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) product *= extent;
  return product;
}

std::unique_ptr<ArrayReader> open_array(const ArrayPlace& place, NumberType raw_type) {
  switch (place.kind) {
    case ArrayPlace::Kind::Npy:
      return open_npy(place.file);
    case ArrayPlace::Kind::Hdf5:
      return open_hdf5(place);
    case ArrayPlace::Kind::Raw:
      break;
  }
  return open_raw(place.file, raw_type);
}

void require_writable(const ArrayPlace& place, const ArrayInfo& array) {
  if (place.kind == ArrayPlace::Kind::Npy && info(array.type).npy.empty()) {
    throw InputError(
        fmt::format("{}: .npy files have no type for {}, so it cannot be written; write a raw file such "
                    "as out.bf16, or HDF5",
                    place.to_string(), info(array.type).name));
  }
  const auto told = place.kind == ArrayPlace::Kind::Raw ? type_of_extension(place.file) : std::nullopt;
  if (told && *told != array.type) {
    throw InputError(
        fmt::format("{}: its extension says {} while the numbers are {}, so it would be misread; choose "
                    "another extension",
                    place.to_string(), info(*told).name, info(array.type).name));
  }
  if (place.kind != ArrayPlace::Kind::Hdf5) return;
  if (place.dataset.empty()) {
    throw InputError(
        fmt::format("{}: no dataset is named, so the numbers would have no place in the file; write "
                    "{}:/NAME",
                    place.file.string(), place.file.string()));
  }
  if (array.fortran_order) {
    throw InputError(
        fmt::format("{}: HDF5 has no Fortran order, in which the input lies, so its indices would be "
                    "swapped; write .npy, or use numpy.ascontiguousarray before",
                    place.to_string()));
  }
}

ArrayWriter::ArrayWriter(const ArrayPlace& place, const fs::path& temporary, const ArrayInfo& array,
                         const hdf5::TextAttributes& attributes)
    : file_(place.file) {
  require_writable(place, array);
  errno = 0;
  out_.open(temporary, std::ios::binary | std::ios::out);
  if (!out_) refuse_writing(file_, system_reason());
  if (place.kind == ArrayPlace::Kind::Npy) {
    const std::string header = npy_header_bytes(
        {.descr = std::string(info(array.type).npy), .fortran_order = array.fortran_order, .shape = array.shape});
    out_.write(header.data(), static_cast<std::streamsize>(header.size()));
  }
  if (place.kind == ArrayPlace::Kind::Hdf5) {
    // Room for what HDF5 will write: on a full disk this fails, and not within HDF5.
    const std::string room(kHdf5Overhead, '\0');
    out_.write(room.data(), static_cast<std::streamsize>(room.size()));
    out_.close();
    if (!out_) refuse_writing(file_, system_reason());
    const std::uint64_t first = hdf5::create_array_file(temporary, place.dataset, array.type, array.shape, attributes);
    out_.open(temporary, std::ios::binary | std::ios::in | std::ios::out);
    out_.seekp(static_cast<std::streamoff>(first));
  }
  if (!out_) refuse_writing(file_, system_reason());
}

void ArrayWriter::write(std::span<const std::byte> bytes) {
  errno = 0;
  out_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out_) refuse_writing(file_, system_reason());
}

void ArrayWriter::finish() {
  errno = 0;
  out_.close();
  if (!out_) refuse_writing(file_, system_reason());
}

}  // namespace bitlaw
