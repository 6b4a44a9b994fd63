#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

#include "simulators/task/corpus.h"
#include "tests/simulators/task/input_error.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

CorpusSpec text(std::vector<std::string> files, double validation_fraction = 0.05) {
  CorpusSpec spec;
  spec.files = std::move(files);
  spec.validation_fraction = validation_fraction;
  return spec;
}

std::string all_bytes(const Corpus& corpus) {
  std::string bytes;
  for (const auto* part : {&corpus.train, &corpus.validation}) {
    for (const std::uint16_t token : *part) bytes.push_back(static_cast<char>(token));
  }
  return bytes;
}

/// One gzip member; dictzip marks its table of chunks with an extra field in the header (RFC 1952 §2.3.1.1).
std::string gzip(std::string content, std::string extra = {}) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  gz_header header{};
  header.extra = reinterpret_cast<Bytef*>(extra.data());
  header.extra_len = static_cast<uInt>(extra.size());
  if (!extra.empty()) deflateSetHeader(&stream, &header);
  std::string packed(content.size() + extra.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(content.data());
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// Text that does not repeat, longer than one read of the loader.
std::string long_text() {
  std::string content;
  for (int i = 0; i < 20000; ++i) content += std::to_string(i * 7919) + " ";
  return content;
}

TEST_CASE("text: every byte is a token, UTF-8 and zero bytes included, file after file") {
  const TemporaryFolder folder;
  const std::string first("Za\xC5\xBC\xC3\xB3\xC5\x82\xC4\x87\n", 11);
  const std::string second("\0\xFF end", 6);
  const Corpus corpus = load_corpus(text({folder.write("a.txt", first), folder.write("b.txt", second)}));
  CHECK(all_bytes(corpus) == first + second);
  CHECK(corpus.vocabulary == 256);
  CHECK_FALSE(corpus.entropy_rate.has_value());
}

TEST_CASE("text: gzip is unpacked whatever the name, with dictzip's extra field, and member after member") {
  const TemporaryFolder folder;
  const std::string content = long_text();
  for (const std::string& packed : {gzip(content), gzip(content, "RA\x04\x00\x01\x00\x00\x00"),
                                    gzip(content.substr(0, 70001)) + gzip(content.substr(70001))}) {
    CHECK(all_bytes(load_corpus(text({folder.write("corpus.dict.dz", packed)}))) == content);
  }
  CHECK(all_bytes(load_corpus(text({folder.write("plain.gz", content)}))) == content);
}

TEST_CASE("text: the held-out part is the rounded fraction at the end and never empty") {
  struct Split {
    std::size_t size;
    double fraction;
    std::size_t held_out;
  };
  const TemporaryFolder folder;
  // 100 * 0.29 is 28.999999999999996 in double; truncating it would hold out 28.
  for (const Split& split : {Split{1000, 0.05, 50}, {100, 0.29, 29}, {10, 0.01, 1}, {1001, 0.5, 501}, {2, 0.5, 1}}) {
    CAPTURE(split.size);
    const std::string content = long_text().substr(0, split.size);
    const Corpus corpus = load_corpus(text({folder.write("a.txt", content)}, split.fraction));
    CHECK(corpus.validation.size() == split.held_out);
    CHECK(corpus.train.size() == split.size - split.held_out);
    CHECK(all_bytes(corpus) == content);
  }
}

TEST_CASE("text: the fingerprint is the name-based UUID of the tokens as little-endian uint16") {
  const TemporaryFolder folder;
  const std::string content("Za\xC5\xBC\xC3\xB3\xC5\x82\xC4\x87\n", 11);
  // Python: b = bytes.fromhex("5a006100c500bc00c300b300c5008200c40087000a00"), then the SHA-1 UUID of
  // uuid.NAMESPACE_OID.bytes + b with version 5 and variant bits set, RFC 4122 §4.3.
  const std::string expected = "07dd1e27268d5e06b30d6025dc5413f0";
  CHECK(load_corpus(text({folder.write("a.txt", content)})).fingerprint == expected);
  CHECK(load_corpus(text({folder.write("a.gz", gzip(content))}, 0.5)).fingerprint == expected);
  CHECK(load_corpus(text({folder.write("b.txt", content + "!")})).fingerprint != expected);
}

TEST_CASE("text: a file that cannot be used is refused with its name, the reason and a remedy") {
  const TemporaryFolder folder;
  const std::string cut = gzip(long_text()).substr(0, 30000);
  std::string corrupt = gzip(long_text());
  corrupt[corrupt.size() - 6] ^= 1;  // in the CRC of the trailer, RFC 1952 §2.3
  CHECK(refusal(text({})) == "corpus: files is empty, so there is nothing to train on; name at least one file");
  CHECK(refusal(text({folder / "none.txt"})) ==
        folder / "none.txt: No such file or directory, so there is no text to train on; check the path");
  CHECK(refusal(text({folder / "gcide.dict.dz"})) ==
        folder /
            "gcide.dict.dz: No such file or directory, so there is no text to train on; install the Debian or "
            "Ubuntu package dict-gcide (./quickstart.sh does), or name your own text files");
  CHECK(refusal(text({folder.path().string()})) ==
        folder.path().string() + ": is a directory, so it has no bytes to read; name the files in it");
  CHECK(refusal(text({folder.write("a.txt", "full"), folder.write("empty.txt", "")})) ==
        folder / "empty.txt: is empty, so there is no text to train on; check the path");
  CHECK(refusal(text({folder.write("empty.gz", gzip(""))})) ==
        folder / "empty.gz: is empty, so there is no text to train on; check the path");
  CHECK(refusal(text({folder.write("cut.gz", cut)})) ==
        folder / "cut.gz: broken gzip data (unexpected end of file), so the text is incomplete; get the file again");
  CHECK(refusal(text({folder.write("bad.gz", corrupt)})) ==
        folder / "bad.gz: broken gzip data (incorrect data check), so the text is incomplete; get the file again");
  // Address 0 of a process is not mapped, so reading it is an error of the device, not of gzip.
  CHECK(refusal(text({"/proc/self/mem"})) ==
        "/proc/self/mem: cannot be read to its end (Input/output error), so the text is incomplete; try again");
}

TEST_CASE("text: a corpus that leaves a part empty is refused") {
  const TemporaryFolder folder;
  const std::string one = folder.write("one.txt", "x");
  CHECK(refusal(text({one})) == "corpus: 1 tokens leave nothing to train on beside the 1 held out; give more text");
  for (const double fraction : {0.0, 1.0, -0.1}) {
    CHECK(refusal(text({one}, fraction)) == "corpus: validation_fraction " +
                                                std::string(fraction == 0.0   ? "0"
                                                            : fraction == 1.0 ? "1"
                                                                              : "-0.1") +
                                                " is not between 0 and 1, so a part would be empty; 0.05 is typical");
  }
}

}  // namespace
}  // namespace bitlaw
