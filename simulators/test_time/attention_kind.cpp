#include "simulators/test_time/attention_kind.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/format/name_parts.h"

namespace bitlaw {
namespace {

constexpr int kMostTokens = 1 << 30;

/// Takes a number of tokens or blocks off the front; 0 where there is none.
int take_count(std::string_view& text) { return take_integer(text, 1, kMostTokens).value_or(0); }

}  // namespace

double Attention::budget() const {
  switch (kind) {
    case AttentionKind::TopK:
      return top_k;
    case AttentionKind::BlockTopK:
      return local + static_cast<double>(block) * blocks;
    case AttentionKind::Dense:
      break;
  }
  return kInfinity;
}

std::string Attention::to_string() const {
  switch (kind) {
    case AttentionKind::TopK:
      return fmt::format("top_k:{}", top_k);
    case AttentionKind::BlockTopK:
      return fmt::format("block_top_k:{}x{}{}", block, blocks, local > 0 ? fmt::format("+{}", local) : "");
    case AttentionKind::Dense:
      break;
  }
  return "dense";
}

Attention parse_attention(std::string_view text) {
  std::string_view rest = text;
  Attention attention;
  bool known = true;
  if (take(rest, "top_k:")) {
    attention.kind = AttentionKind::TopK;
    known = (attention.top_k = take_count(rest)) > 0;
  } else if (take(rest, "block_top_k:")) {
    attention.kind = AttentionKind::BlockTopK;
    known = (attention.block = take_count(rest)) > 0 && take(rest, "x") && (attention.blocks = take_count(rest)) > 0;
    if (known && take(rest, "+")) known = (attention.local = take_count(rest)) > 0;
  } else {
    known = take(rest, "dense");
  }
  if (known && rest.empty()) return attention;
  throw InputError(fmt::format("attention '{}': is not known, so the cache that is read has no size; write {}", text,
                               kAttentionPattern));
}

}  // namespace bitlaw
