#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitlaw {

/// Which of the context's tokens a generated token attends to.
enum class AttentionKind : std::uint8_t {
  Dense,     ///< all of them
  TopK,      ///< the `budget` tokens that an oracle names at no cost, or all where there are fewer
  BlockTopK  ///< the last `local` tokens and the `blocks` best blocks of `block` tokens, found by one key per block
};

/// Attention of an answer, and its budget of keys and values.
struct Attention {
  AttentionKind kind = AttentionKind::Dense;
  int top_k = 0;   ///< TopK
  int block = 0;   ///< BlockTopK: tokens in a block
  int blocks = 0;  ///< BlockTopK: blocks attended to
  int local = 0;   ///< BlockTopK

  /// Tokens attended to at most; infinity for dense attention.
  double budget() const;
  /// "dense", "top_k:1024", "block_top_k:16x64" (64 blocks of 16) or "block_top_k:16x64+128" (128 local tokens).
  std::string to_string() const;

  friend bool operator==(const Attention&, const Attention&) = default;
};

/// How attention is written, for people to read.
inline constexpr std::string_view kAttentionPattern = "dense, top_k:TOKENS or block_top_k:BLOCKxBLOCKS[+LOCAL]";

/// The attention that to_string() writes as `text`; InputError without a place for any other text.
Attention parse_attention(std::string_view text);

}  // namespace bitlaw
