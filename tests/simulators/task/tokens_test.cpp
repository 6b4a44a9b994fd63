#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "simulators/task/corpus.h"
#include "tests/simulators/task/input_error.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

CorpusSpec tokens(std::string file, int vocabulary) {
  CorpusSpec spec;
  spec.kind = CorpusSpec::Kind::Tokens;
  spec.files = {std::move(file)};
  spec.vocabulary = vocabulary;
  spec.validation_fraction = 0.5;
  return spec;
}

std::string little_endian(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> 8 * i & 0xFF));
  return out;
}

std::string body(const std::vector<std::uint16_t>& values) {
  std::string out;
  for (const std::uint16_t value : values) out += little_endian(value, 2);
  return out;
}

/// llm.c, dev/data/data_common.py, write_datafile: 256 int32, the first three used, then the tokens.
std::string llmc_header(std::uint32_t magic, std::uint32_t version, std::uint32_t count) {
  return little_endian(magic, 4) + little_endian(version, 4) + little_endian(count, 4) + std::string(253 * 4, '\0');
}

TEST_CASE("tokens: nanoGPT's flat file and llm.c's with header give the same corpus") {
  const TemporaryFolder folder;
  const std::vector<std::uint16_t> values{50256, 0, 1, 258, 65535, 7};
  const std::string flat = folder.write("flat.bin", body(values));
  const std::string headed = folder.write("headed.bin", llmc_header(20240520, 1, 6) + body(values));
  for (const std::string& file : {flat, headed}) {
    const Corpus corpus = load_corpus(tokens(file, 65536));
    CHECK(corpus.train == std::vector<std::uint16_t>{50256, 0, 1});
    CHECK(corpus.validation == std::vector<std::uint16_t>{258, 65535, 7});
    CHECK(corpus.vocabulary == 65536);
    CHECK(corpus.fingerprint == load_corpus(tokens(flat, 65536)).fingerprint);
  }
}

TEST_CASE("tokens: files follow each other in the order named, flat or with header") {
  const TemporaryFolder folder;
  CorpusSpec spec = tokens(folder.write("a.bin", llmc_header(20240520, 1, 2) + body({1, 2})), 10);
  spec.files.push_back(folder.write("b.bin", body({3, 4})));
  const Corpus corpus = load_corpus(spec);
  CHECK(corpus.train == std::vector<std::uint16_t>{1, 2});
  CHECK(corpus.validation == std::vector<std::uint16_t>{3, 4});
  spec.vocabulary = 4;  // the position in a message counts from the start of its own file
  CHECK(refusal(spec) == spec.files[1] +
                             ": token 4 at position 1 is not below the vocabulary 4, so the model has no embedding for "
                             "it; set vocabulary to at least 5");
}

TEST_CASE("tokens: a flat file longer than a header is still flat") {
  const TemporaryFolder folder;
  const std::vector<std::uint16_t> values(1000, 3);
  const Corpus corpus = load_corpus(tokens(folder.write("long.bin", body(values)), 4));
  CHECK(corpus.train.size() + corpus.validation.size() == 1000);
}

TEST_CASE("tokens: an id outside the vocabulary is refused with its position and value") {
  const TemporaryFolder folder;
  const std::string flat = folder.write("flat.bin", body({1, 2, 63, 64, 70}));
  CHECK(refusal(tokens(flat, 64)) == flat +
                                         ": token 64 at position 3 is not below the vocabulary 64, so the model has no "
                                         "embedding for it; set vocabulary to at least 65");
  CHECK(refusal(tokens(flat, 71)) == "no error");
  const std::string headed = folder.write("headed.bin", llmc_header(20240520, 1, 2) + body({1, 9}));
  CHECK(refusal(tokens(headed, 9)) == headed +
                                          ": token 9 at position 1 is not below the vocabulary 9, so the model has no "
                                          "embedding for it; set vocabulary to at least 10");
}

TEST_CASE("tokens: a file of another layout is refused with the reason") {
  const TemporaryFolder folder;
  const std::string odd = folder.write("odd.bin", "abc");
  CHECK(refusal(tokens(odd, 256)) == odd +
                                         ": 3 bytes are not whole 16-bit tokens, so this is no token file; use kind: "
                                         "text for plain text");
  const std::string empty = folder.write("empty.bin", "");
  CHECK(refusal(tokens(empty, 256)) == empty + ": has no tokens, so there is nothing to train on; check the path");
  const std::string cut = folder.write("cut.bin", llmc_header(20240520, 1, 100) + body({1, 2}));
  CHECK(refusal(tokens(cut, 256)) == cut +
                                         ": the llm.c header promises 100 tokens, but 2 follow, so the file is cut or "
                                         "mixed; get the file again");
  const std::string version = folder.write("version.bin", llmc_header(20240520, 2, 2) + body({1, 2}));
  CHECK(refusal(tokens(version, 256)) ==
        version + ": llm.c header of version 2, but only version 1 is known; write version 1");
  const std::string wide = folder.write("wide.bin", llmc_header(20240801, 7, 1) + little_endian(1, 4));
  CHECK(refusal(tokens(wide, 256)) == wide +
                                          ": has the llm.c header of 32-bit tokens (magic 20240801), which do not fit "
                                          "16 bits; tokenize with a vocabulary of at most 65536");
  for (const std::string& file : {folder / "none.bin", folder.path().string()}) {
    CHECK(refusal(tokens(file, 256)) == file + ": is no file, so there is nothing to train on; check the path");
  }
}

TEST_CASE("tokens: a vocabulary that 16 bits cannot hold is refused") {
  for (const int vocabulary : {0, 65537}) {
    CHECK(refusal(tokens("any.bin", vocabulary)) ==
          "corpus: vocabulary " + std::to_string(vocabulary) +
              " of a token file is not between 1 and 65536, what 16 bits hold; choose one that is");
  }
}

}  // namespace
}  // namespace bitlaw
