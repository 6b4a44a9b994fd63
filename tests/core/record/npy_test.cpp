#include "core/record/npy.h"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/support/message_of.h"

using namespace bitlaw;
using namespace std::string_literals;

namespace {

NpyHeader header_of(const std::string& bytes) {
  std::istringstream in(bytes);
  return read_npy_header(in, "x.npy");
}

/// Format 1.0 around the text of a header.
std::string npy(const std::string& text) { return "\x93NUMPY\x01\x00"s + static_cast<char>(text.size()) + '\0' + text; }

std::string refusal(const std::string& bytes) {
  return message_of([&] { header_of(bytes); });
}

}  // namespace

TEST_CASE("npy: the header that numpy 1.24 writes for a (3, 4) array of float32, byte for byte") {
  const std::string numpy = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }"s +
                            std::string(58, ' ') + "\n";
  REQUIRE(numpy.size() == 128);
  const NpyHeader header{.descr = "<f4", .fortran_order = false, .shape = {3, 4}};
  CHECK(npy_header_bytes(header) == numpy);
  std::istringstream in(numpy + "data");
  CHECK(read_npy_header(in, "x.npy") == header);
  std::string rest;
  CHECK(std::getline(in, rest));
  CHECK(rest == "data");
}

TEST_CASE("npy: headers of all shapes are read back and end at multiples of 64 bytes") {
  for (const auto& shape :
       std::vector<std::vector<std::int64_t>>{{}, {0}, {7}, {1, 0, 5}, std::vector<std::int64_t>(32, 1)}) {
    for (const bool fortran : {false, true}) {
      const NpyHeader header{.descr = ">f8", .fortran_order = fortran, .shape = shape};
      const std::string bytes = npy_header_bytes(header);
      CHECK(bytes.size() % 64 == 0);
      CHECK(header_of(bytes) == header);
    }
  }
}

TEST_CASE("npy: formats 2.0 and 3.0, other orders, spaces, quotes and Python 2's long integers") {
  const std::string text = "{ \"shape\" : (2L, 3L ), 'fortran_order': True,'descr': '|u1'}\n";
  const NpyHeader header{.descr = "|u1", .fortran_order = true, .shape = {2, 3}};
  CHECK(header_of(npy(text)) == header);
  for (const char version : {'\x02', '\x03'}) {
    const std::string bytes = "\x93NUMPY"s + version + '\0' + static_cast<char>(text.size()) + "\0\0\0"s + text;
    CHECK(header_of(bytes) == header);
  }
}

TEST_CASE("npy: what is no array of numbers is refused with a reason") {
  CHECK(refusal("PK\x03\x04 and so on") ==
        "x.npy: does not begin as .npy files do, so its numbers have no known type; write it with numpy.save, or give "
        "raw numbers another extension");
  CHECK(refusal("\x93NUM") ==
        "x.npy: does not begin as .npy files do, so its numbers have no known type; write it with numpy.save, or give "
        "raw numbers another extension");
  CHECK(refusal("\x93NUMPY\x04\x01"s) ==
        "x.npy: is .npy format 4.1, of which 1.0 to 3.0 are known, so it cannot be read; write it again with "
        "numpy.save");
  CHECK(refusal("\x93NUMPY\x01\x00v\x00{'descr'"s) ==
        "x.npy: ends within its .npy header, so it holds no numbers; copy or write it again");
  CHECK(refusal("\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF"s) ==
        "x.npy: its .npy header would be 4294967295 bytes long, so it is damaged; copy or write it again");
  CHECK(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }")) ==
        "x.npy: its shape (4294967296, 4294967296) has more elements than any file, so it is damaged; copy or write it "
        "again");
  const auto of_header = [](const std::string& what) {
    return "x.npy: its .npy header " + what + ", so its numbers cannot be found; write it again with numpy.save";
  };
  CHECK(refusal(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }")) ==
        of_header("says that its elements are records"));
  CHECK(refusal(npy("{'descr': '<f4', 'shape': (3,), }")) == of_header("lacks one of descr, fortran_order, shape"));
  CHECK(refusal(npy("{'descr': '<f4', 'descr': '<f4'}")) == of_header("gives 'descr' twice"));
  CHECK(refusal(npy("{'colour': 'red'}")) == of_header("has the unknown key 'colour'"));
  CHECK(refusal(npy("{'shape': (-3,)}")) == of_header("has a shape that is not a tuple of sizes"));
  CHECK(refusal(npy("{'fortran_order': 0}")) == of_header("has a fortran_order that is neither True nor False"));
  CHECK(refusal(npy("{'descr': '<f4}")) == of_header("has a text without end"));
  CHECK(refusal(npy("{'descr' '<f4'}")) == of_header("has no ':' before ''<f4'}'"));
}
