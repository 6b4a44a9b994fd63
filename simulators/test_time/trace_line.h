#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bitlaw {

/// The members of one line of traces that matter. Absent ones, and null, are unset.
struct TraceLine {
  std::optional<std::string> query, model, attention, weights, kv;
  std::optional<double> score, tokens, prompt_tokens;
  std::optional<double> attn_topk, attn_local, attn_block_size, attn_block_topk;  ///< of a header

  /// The attention that a header describes; unset where it has none.
  std::optional<std::string> header_attention() const;
};

/// Parses a line into `line`; returns what is wrong with it, "" for nothing. `column` is set to where, from 1.
std::string parse_trace_line(std::string_view text, TraceLine& line, int& column);

}  // namespace bitlaw
