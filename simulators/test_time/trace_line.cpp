#include "simulators/test_time/trace_line.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

namespace bitlaw {
namespace {

struct TextMember {
  std::string_view name;
  std::optional<std::string> TraceLine::*member;
};

struct NumberMember {
  std::string_view name;
  std::optional<double> TraceLine::*member;
};

constexpr std::array kTexts{TextMember{"query", &TraceLine::query}, TextMember{"model", &TraceLine::model},
                            TextMember{"attention", &TraceLine::attention}, TextMember{"weights", &TraceLine::weights},
                            TextMember{"kv", &TraceLine::kv}};
constexpr std::array kNumbers{NumberMember{"score", &TraceLine::score},
                              NumberMember{"tokens", &TraceLine::tokens},
                              NumberMember{"prompt_tokens", &TraceLine::prompt_tokens},
                              NumberMember{"attn_topk", &TraceLine::attn_topk},
                              NumberMember{"attn_local", &TraceLine::attn_local},
                              NumberMember{"attn_block_size", &TraceLine::attn_block_size},
                              NumberMember{"attn_block_topk", &TraceLine::attn_block_topk}};

/// Takes the members that matter from a parser that reports what it meets, so that long predictions are not kept. False
/// ends the parse.
class LineReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit LineReader(TraceLine& line) : line_(line) {}

  std::string wrong;
  int column = 1;

  bool null() override { return taken(); }
  bool boolean(bool value) override { return number(value ? 1 : 0); }
  bool number_integer(number_integer_t value) override { return number(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return number(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t&) override { return number(value); }
  bool binary(binary_t&) override { return false; }  // JSON has none

  bool string(string_t& value) override {
    if (number_ != nullptr) return refuse("text");
    if (text_ != nullptr) line_.*(text_->member) = std::move(value);
    return taken();
  }

  bool start_object(std::size_t) override { return open("an object"); }
  bool start_array(std::size_t) override { return depth_ > 0 ? open("a list") : refuse_line(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    text_ = row_of(name, kTexts);
    number_ = row_of(name, kNumbers);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    column = static_cast<int>(position);
    wrong = "the line is no JSON here, so its answer is lost; write one object a line";
    return false;
  }

 private:
  template <typename Rows>
  static auto row_of(const std::string& name, const Rows& rows) -> decltype(rows.data()) {
    for (const auto& row : rows) {
      if (row.name == name) return &row;
    }
    return nullptr;
  }

  bool taken() {
    text_ = nullptr;
    number_ = nullptr;
    return depth_ > 0 || refuse_line();
  }

  bool number(double value) {
    if (text_ != nullptr) return refuse("a number");
    if (number_ != nullptr) line_.*(number_->member) = value;
    return taken();
  }

  bool open(const char* kind) {
    if (text_ != nullptr || number_ != nullptr) return refuse(kind);
    ++depth_;
    return true;
  }

  bool close() {
    --depth_;
    return true;
  }

  bool refuse(const char* kind) {
    wrong = fmt::format("'{}' is {}, so the answer cannot be counted; write {}", text_ ? text_->name : number_->name,
                        kind, text_ ? "text" : "a number");
    return false;
  }

  bool refuse_line() {
    wrong = "the line is no JSON object, so it has no answer; write {\"query\": ..., \"score\": ...}";
    return false;
  }

  TraceLine& line_;
  const TextMember* text_ = nullptr;  // the member whose value comes next, where that matters
  const NumberMember* number_ = nullptr;
  int depth_ = 0;
};

}  // namespace

std::optional<std::string> TraceLine::header_attention() const {
  if (!attn_local && !attn_topk && !attn_block_topk) return std::nullopt;
  const double local = attn_local.value_or(0);
  if (attn_block_topk) {
    const std::string blocks = fmt::format("block_top_k:{:.0f}x{:.0f}", attn_block_size.value_or(0), *attn_block_topk);
    return local > 0 ? fmt::format("{}+{:.0f}", blocks, local) : blocks;
  }
  return fmt::format("top_k:{:.0f}", local + attn_topk.value_or(0));
}

std::string parse_trace_line(std::string_view text, TraceLine& line, int& column) {
  line = {};
  LineReader reader(line);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  column = reader.column;
  return reader.wrong;
}

}  // namespace bitlaw
