#include "core/record/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <istream>
#include <set>
#include <string_view>

#include "core/base/check.h"
#include "core/base/error.h"
#include "core/record/number_type.h"

namespace bitlaw {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;
constexpr std::uint32_t kLongestHeader = 1 << 20;  // numpy.save writes about 100 bytes

/// The header's text: a literal of the Python dictionary {'descr': ..., 'fortran_order': ..., 'shape': ...}.
class HeaderText {
 public:
  HeaderText(std::string_view text, const std::string& place) : rest_(text), place_(place) {}

  NpyHeader parse() {
    NpyHeader header;
    std::set<std::string> keys;
    expect('{');
    while (!take('}')) {
      const std::string key = text();
      expect(':');
      if (!keys.insert(key).second) refuse(fmt::format("gives '{}' twice", key));
      if (key == "descr") {
        header.descr = descr();
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
      } else if (key == "shape") {
        header.shape = tuple();
      } else {
        refuse(fmt::format("has the unknown key '{}'", key));
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    if (keys.size() != 3) refuse("lacks one of descr, fortran_order, shape");
    return header;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw InputError(fmt::format(
        "{}: its .npy header {}, so its numbers cannot be found; write it again with numpy.save", place_, what));
  }

  void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size())); }

  bool take(char c) {
    skip_spaces();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!take(c)) refuse(fmt::format("has no '{}' before '{}'", c, rest_.substr(0, 20)));
  }

  bool take_word(std::string_view word) {
    skip_spaces();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  /// A string without escapes.
  std::string text() {
    const char quote = take('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) refuse("has a text without end");
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return value;
  }

  std::string descr() {
    skip_spaces();
    if (rest_.starts_with('[')) refuse("says that its elements are records");
    return text();
  }

  bool boolean() {
    if (take_word("True")) return true;
    if (!take_word("False")) refuse("has a fortran_order that is neither True nor False");
    return false;
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> values;
    expect('(');
    while (!take(')')) {
      values.push_back(extent());
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  std::int64_t extent() {
    skip_spaces();
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) refuse("has a shape that is not a tuple of sizes");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    take('L');  // Python 2 wrote long integers so
    return value;
  }

  std::string_view rest_;
  const std::string& place_;
};

std::string read_bytes(std::istream& in, std::size_t count, const std::string& place) {
  std::string bytes(count, '\0');
  if (!in.read(bytes.data(), static_cast<std::streamsize>(count))) {
    throw InputError(
        fmt::format("{}: ends within its .npy header, so it holds no numbers; copy or write it again", place));
  }
  return bytes;
}

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

NpyHeader read_npy_header(std::istream& in, const std::string& place) {
  std::string start(kMagic.size() + 2, '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  if (!in || !start.starts_with(kMagic)) {
    throw InputError(
        fmt::format("{}: does not begin as .npy files do, so its numbers have no known type; write it with "
                    "numpy.save, or give raw numbers another extension",
                    place));
  }
  const int major = static_cast<unsigned char>(start[kMagic.size()]);
  if (major < 1 || major > 3) {
    throw InputError(
        fmt::format("{}: is .npy format {}.{}, of which 1.0 to 3.0 are known, so it cannot be read; write "
                    "it again with numpy.save",
                    place, major, static_cast<unsigned char>(start[kMagic.size() + 1])));
  }
  const std::uint32_t length = little_endian(read_bytes(in, major == 1 ? 2 : 4, place));
  if (length > kLongestHeader) {
    throw InputError(fmt::format("{}: its .npy header would be {} bytes long, so it is damaged; copy or write it again",
                                 place, length));
  }
  const std::string text = read_bytes(in, length, place);
  NpyHeader header = HeaderText(text, place).parse();
  if (!is_countable(header.shape)) {
    throw InputError(
        fmt::format("{}: its shape ({}) has more elements than any file, so it is damaged; copy or write "
                    "it again",
                    place, fmt::join(header.shape, ", ")));
  }
  return header;
}

std::string npy_header_bytes(const NpyHeader& header) {
  const std::string shape = fmt::format("{}{}", fmt::join(header.shape, ", "), header.shape.size() == 1 ? "," : "");
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}", header.descr,
                                 header.fortran_order ? "True" : "False", shape);
  const std::size_t before = kMagic.size() + 4;
  text.append(kAlignment - 1 - (before + text.size()) % kAlignment, ' ');
  text += '\n';
  BITLAW_CHECK(text.size() <= 0xFFFF, "a shape of {} sizes", header.shape.size());
  std::string bytes(kMagic);
  bytes += {'\x01', '\x00', static_cast<char>(text.size() & 0xFF), static_cast<char>(text.size() >> 8)};
  return bytes + text;
}

}  // namespace bitlaw
