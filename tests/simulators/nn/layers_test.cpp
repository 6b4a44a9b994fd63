#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "simulators/nn/attention.h"
#include "simulators/nn/cross_entropy.h"
#include "simulators/nn/embedding.h"
#include "simulators/nn/rms_norm.h"
#include "simulators/nn/rotary.h"
#include "simulators/nn/swiglu.h"
#include "tests/support/bits.h"
#include "tests/support/gradient_check.h"

using namespace bitlaw;

namespace {

using Values = std::vector<double>;

MatrixView<double> view(Values& v, std::int64_t rows, std::int64_t cols) { return {v.data(), rows, cols}; }
ConstMatrixView<double> view(const Values& v, std::int64_t rows, std::int64_t cols) { return {v.data(), rows, cols}; }

const LinearSlots kFloat32Slots;
const AttentionRounding kUnrounded{kFloat32Slots, kFloat32Slots, {}, {}};

}  // namespace

TEST_CASE("rms_norm: rows come out with unit root mean square times the gain") {
  const Values x{3, 4};  // rms = sqrt(12.5)
  const Values gain{1, 2};
  Values y(2), rms(1);
  rms_norm_forward<double>(view(x, 1, 2), gain.data(), view(y, 1, 2), rms.data());
  CHECK(y[0] == doctest::Approx(3 / std::sqrt(12.5)).epsilon(1e-6));  // the 1e-5 under the root: 4e-7 relative
  CHECK(y[1] == doctest::Approx(8 / std::sqrt(12.5)).epsilon(1e-6));
}

TEST_CASE("rms_norm: backward agrees with finite differences") {
  const std::int64_t rows = 3, cols = 37;
  Values x = rough_values(rows * cols, 1), gain = rough_values(cols, 2), y(x.size()), rms(rows);
  const Values weights = rough_values(rows * cols, 3);
  const auto objective = [&] {
    rms_norm_forward<double>(view(x, rows, cols), gain.data(), view(y, rows, cols), rms.data());
    return weighted_sum(weights, y);
  };
  objective();
  Values dx(x.size()), dgain(gain.size());
  rms_norm_backward<double>(view(x, rows, cols), gain.data(), rms.data(), view(weights, rows, cols),
                            view(dx, rows, cols), dgain.data());
  check_gradient(x, dx, objective);
  check_gradient(gain, dgain, objective);
}

TEST_CASE("rms_norm: backward adds to the residual branch's gradient") {
  const Values x{1, 2}, gain{1, 1}, dy{0, 0};
  Values rms{0.5}, dx{7, 8}, dgain{9, 10};
  rms_norm_backward<double>(view(x, 1, 2), gain.data(), rms.data(), view(dy, 1, 2), view(dx, 1, 2), dgain.data());
  CHECK(dx == Values{7, 8});
  CHECK(dgain == Values{9, 10});
}

TEST_CASE("rotary: position 1 turns the first pair by one radian") {
  const Rotary<double> rotary(2, 4, 10000.0);
  Values x{9, 9, 9, 9, 1, 0, 0, 1};  // position 0, then position 1: pairs (0, 2) and (1, 3)
  rotary.forward(view(x, 2, 4));
  CHECK(Values(x.begin(), x.begin() + 4) == Values{9, 9, 9, 9});
  CHECK(x[4] == std::cos(1.0));
  CHECK(x[6] == std::sin(1.0));
  CHECK(x[5] == doctest::Approx(-std::sin(0.01)).epsilon(1e-12));  // base^(-2/4) = 0.01
  CHECK(x[7] == doctest::Approx(std::cos(0.01)).epsilon(1e-12));
}

TEST_CASE("rotary: scores depend on the distance of positions only, and backward is the inverse") {
  const std::int64_t context = 8, width = 6;
  const Rotary<double> rotary(context, width, 100.0);
  const Values q = rough_values(width, 1), k = rough_values(width, 2);
  const auto score = [&](std::int64_t i, std::int64_t j) {
    Values x(static_cast<std::size_t>(context * width)), y(x.size());
    std::copy(q.begin(), q.end(), x.begin() + i * width);
    std::copy(k.begin(), k.end(), y.begin() + j * width);
    rotary.forward(view(x, context, width));
    rotary.forward(view(y, context, width));
    return std::inner_product(x.begin() + i * width, x.begin() + (i + 1) * width, y.begin() + j * width, 0.0);
  };
  CHECK(score(5, 2) == doctest::Approx(score(7, 4)).epsilon(1e-12));
  CHECK(score(5, 2) != doctest::Approx(score(5, 3)).epsilon(1e-3));

  const Values x = rough_values(context * width, 3);
  Values turned = x;
  rotary.forward(view(turned, context, width));
  rotary.backward(view(turned, context, width));
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(turned[i] == doctest::Approx(x[i]).epsilon(1e-12));
}

TEST_CASE("swiglu: silu(0) is 0, silu(ln 3) is 3/4 ln 3") {
  const Values gate_up{0, std::log(3.0), 5, 2};
  Values h(2);
  swiglu_forward<double>(view(gate_up, 1, 4), view(h, 1, 2));
  CHECK(h[0] == 0.0);
  CHECK(h[1] == doctest::Approx(2 * 0.75 * std::log(3.0)).epsilon(1e-14));
}

TEST_CASE("swiglu: backward agrees with finite differences") {
  const std::int64_t rows = 2, f = 19;
  Values gate_up = rough_values(rows * 2 * f, 1), h(static_cast<std::size_t>(rows * f)), d(gate_up.size());
  for (double& v : gate_up) v *= 4;
  const Values weights = rough_values(rows * f, 2);
  const auto objective = [&] {
    swiglu_forward<double>(view(gate_up, rows, 2 * f), view(h, rows, f));
    return weighted_sum(weights, h);
  };
  swiglu_backward<double>(view(gate_up, rows, 2 * f), view(weights, rows, f), view(d, rows, 2 * f));
  check_gradient(gate_up, d, objective);
}

TEST_CASE("attention: equals the definition, head by head and token by token") {
  const AttentionShape s{.sequences = 2, .context = 5, .heads = 4, .kv_heads = 2, .head_width = 6};
  const std::int64_t tokens = s.sequences * s.context;
  const Values qkv = rough_values(tokens * s.qkv_columns(), 1);
  Values p(static_cast<std::size_t>(s.sequences * s.heads * s.context * s.context));
  Values out(static_cast<std::size_t>(tokens * s.query_columns()));
  AttentionScratch<double> scratch;
  attention_forward<double>(s, kUnrounded, view(qkv, tokens, s.qkv_columns()),
                            view(p, s.sequences * s.heads * s.context, s.context), view(out, tokens, s.query_columns()),
                            scratch);
  const auto at = [&](std::int64_t token, std::int64_t head, std::int64_t d) {
    return qkv[static_cast<std::size_t>(token * s.qkv_columns() + head * s.head_width + d)];
  };
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t h = 0; h < s.heads; ++h) {
      const std::int64_t key_head = s.heads + h / 2, value_head = s.heads + s.kv_heads + h / 2;
      const std::int64_t first = t / s.context * s.context;
      Values weight;
      for (std::int64_t j = first; j <= t; ++j) {
        double score = 0;
        for (std::int64_t d = 0; d < s.head_width; ++d) score += at(t, h, d) * at(j, key_head, d);
        weight.push_back(std::exp(score / std::sqrt(6.0)));
      }
      const double total = std::accumulate(weight.begin(), weight.end(), 0.0);
      for (std::int64_t d = 0; d < s.head_width; ++d) {
        double expected = 0;
        for (std::int64_t j = first; j <= t; ++j) {
          expected += weight[static_cast<std::size_t>(j - first)] / total * at(j, value_head, d);
        }
        CHECK(out[static_cast<std::size_t>(t * s.query_columns() + h * s.head_width + d)] ==
              doctest::Approx(expected).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("attention: backward agrees with finite differences, with grouped queries") {
  for (const std::int64_t kv_heads : {1, 2, 4}) {
    CAPTURE(kv_heads);
    const AttentionShape s{.sequences = 2, .context = 5, .heads = 4, .kv_heads = kv_heads, .head_width = 4};
    const std::int64_t tokens = s.sequences * s.context;
    Values qkv = rough_values(tokens * s.qkv_columns(), 1), dqkv(qkv.size());
    for (double& v : qkv) v *= 2;
    Values p(static_cast<std::size_t>(s.sequences * s.heads * s.context * s.context));
    Values out(static_cast<std::size_t>(tokens * s.query_columns()));
    AttentionScratch<double> scratch;
    const Values weights = rough_values(tokens * s.query_columns(), 2);
    const auto objective = [&] {
      attention_forward<double>(s, kUnrounded, view(qkv, tokens, s.qkv_columns()),
                                view(p, s.sequences * s.heads * s.context, s.context),
                                view(out, tokens, s.query_columns()), scratch);
      return weighted_sum(weights, out);
    };
    objective();
    attention_backward<double>(s, kUnrounded, view(qkv, tokens, s.qkv_columns()),
                               view(p, s.sequences * s.heads * s.context, s.context),
                               view(weights, tokens, s.query_columns()), view(dqkv, tokens, s.qkv_columns()), scratch);
    check_gradient(qkv, dqkv, objective);
  }
}

TEST_CASE("attention: rounding queries, keys and values is attention to rounded queries, keys and values") {
  const AttentionShape s{.sequences = 1, .context = 20, .heads = 1, .kv_heads = 1, .head_width = 16};
  const Matrix<float> qkv = rough_matrix(s.context, s.qkv_columns(), 3, 1);
  LinearSlots scores, mixing;
  scores[Slot::FwdX].block = scores[Slot::FwdW].block = mixing[Slot::FwdW].block = block_preset("nvfp4");
  const auto out_of = [&](const AttentionRounding& rounding, const Matrix<float>& input) {
    Matrix<float> p(s.context, s.context), out(s.context, s.head_width);
    AttentionScratch<float> scratch;
    attention_forward<float>(s, rounding, input.view(), p.view(), out.view(), scratch);
    return out;
  };
  Matrix<float> rounded = qkv;
  for (const std::int64_t first : {0, 16, 32}) {  // queries and keys are summed over features, values over tokens
    const auto part = rounded.view().columns(first, 16);
    quantize_blocks(*block_preset("nvfp4"), {}, first < 32 ? KAxis::Cols : KAxis::Rows, part, part, {});
  }
  const Matrix<float> expected = out_of(kUnrounded, rounded);
  CHECK(same_bits(out_of({scores, mixing, {}, {}}, qkv), expected));
  CHECK_FALSE(same_bits(out_of(kUnrounded, qkv), expected));
}

TEST_CASE("attention: straight through its quantizers, gradients are those of rounded operands") {
  const AttentionShape s{.sequences = 1, .context = 20, .heads = 1, .kv_heads = 1, .head_width = 16};
  const Matrix<float> qkv = rough_matrix(s.context, s.qkv_columns(), 3, 1), dout = rough_matrix(20, 16, 4, 1);
  LinearSlots mixing;  // dP = q(dO) V and dV = P^T q(dO): the same as attention to a rounded dO, where blocks are 1 x 1
  const BlockSpec per_element{.element = parse_format("e2m1"), .size = 1, .scale = parse_format("e4m3")};
  mixing[Slot::DgradG].block = mixing[Slot::WgradG].block = per_element;
  const auto gradient_of = [&](const AttentionRounding& rounding, const Matrix<float>& d) {
    Matrix<float> p(s.context, s.context), out(s.context, s.head_width), dqkv(s.context, s.qkv_columns());
    AttentionScratch<float> scratch;
    attention_forward<float>(s, rounding, qkv.view(), p.view(), out.view(), scratch);
    attention_backward<float>(s, rounding, qkv.view(), p.view(), d.view(), dqkv.view(), scratch);
    return dqkv;
  };
  Matrix<float> rounded = dout;
  quantize_blocks(per_element, {}, KAxis::Cols, rounded.view(), rounded.view(), {});
  const Matrix<float> expected = gradient_of(kUnrounded, rounded);
  CHECK(same_bits(gradient_of({kFloat32Slots, mixing, {}, {}}, dout), expected));
  CHECK_FALSE(same_bits(gradient_of(kUnrounded, dout), expected));
}

TEST_CASE("embedding: looks rows up and adds gradients of repeated tokens") {
  const Values table{1, 2, 3, 4, 5, 6};
  const std::vector<std::uint16_t> tokens{2, 0, 2};
  Values x(6);
  embedding_forward<double>(view(table, 3, 2), tokens, view(x, 3, 2));
  CHECK(x == Values{5, 6, 1, 2, 5, 6});
  const Values dx{1, 10, 2, 20, 3, 30};
  Values dtable(6);
  embedding_backward<double>(tokens, view(dx, 3, 2), view(dtable, 3, 2));
  CHECK(dtable == Values{2, 20, 0, 0, 4, 40});
}

TEST_CASE("cross_entropy: uniform logits cost ln V, however large they are") {
  for (const double level : {0.0, 1000.0, -1000.0}) {
    Values logits(2 * 7, level);
    const std::vector<std::uint16_t> targets{0, 6};
    CHECK(cross_entropy_forward<double>(view(logits, 2, 7), targets) ==
          doctest::Approx(2 * std::log(7.0)).epsilon(1e-14));
  }
}

TEST_CASE("cross_entropy: backward agrees with finite differences") {
  const std::int64_t rows = 3, vocabulary = 11;
  Values logits = rough_values(rows * vocabulary, 1);
  const std::vector<std::uint16_t> targets{4, 0, 10};
  const auto objective = [&] {
    Values copy = logits;
    return cross_entropy_forward<double>(view(copy, rows, vocabulary), targets) / 3.0;
  };
  Values d = logits;
  cross_entropy_forward<double>(view(d, rows, vocabulary), targets);
  cross_entropy_backward<double>(view(d, rows, vocabulary), targets, 1.0 / 3.0);
  check_gradient(logits, d, objective);
}
