#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep/yaml_node.h"
#include "simulators/quantized/recipe.h"

namespace bitlaw {

/// How people write a rounding. The short words of training come first: canonical texts have them where there are two.
inline constexpr auto kRoundingWords = [] {
  std::array<EnumName<RoundingMode>, kRoundingModeNames.size() + 2> names{
      {{"nearest", RoundingMode::TiesToEven}, {"stochastic", RoundingMode::StochasticExact}}};
  std::copy(kRoundingModeNames.begin(), kRoundingModeNames.end(), names.begin() + 2);
  return names;
}();

/// A slot by name: "float32", "bf16", "fp8" or one of core's block presets.
std::optional<SlotSpec> slot_preset(std::string_view name);
std::vector<std::string> slot_preset_names();

/// What a file has said about one slot so far.
class SlotDraft {
 public:
  /// Takes the fields that `entry` gives: the name of a preset, or a map of format, block, ...
  void apply(const YamlNode& entry);

  /// The slot of this name. InputError when what was said is not a whole, e.g. a block without a format.
  SlotSpec finish(std::string_view slot) const;
  /// The same where messages call it otherwise than "slot NAME".
  SlotSpec finish_as(std::string_view subject) const;

 private:
  void apply_preset(const YamlNode& name);
  void apply_field(const YamlNode& field);
  bool apply_rotation(const YamlNode& field);
  bool apply_learned(const YamlNode& field);
  bool apply_guide(const YamlNode& field);
  bool apply_gradient(const YamlNode& field);
  bool apply_delayed(const YamlNode& field);
  void check_rounding(std::string_view subject) const;
  void check_rotation(std::string_view subject) const;
  void check_learned(std::string_view slot) const;
  void check_guide(std::string_view slot) const;
  void check_gradient(std::string_view slot) const;
  void check_delayed(std::string_view slot) const;

  bool quantized_ = false;
  bool float32_ = false;    // said to stay in float32
  bool has_block_ = false;  // said which elements share a scale
  BlockSpec block_;         // what it would be if quantized_
  Rounding rounding_;
  std::optional<int> rotate_;  // unset: nothing was said
  HadamardSigns rotate_signs_ = HadamardSigns::Random;
  std::optional<FormatSpec> rotate_result_;
  Learned learned_ = Learned::None;
  SourceLocation learned_place_;
  bool guided_ = false;  // by the mean of the weights
  SourceLocation guide_place_;
  GradientSpec gradient_;
  SourceLocation gradient_place_;  // of the last field of it
  std::optional<DelayedScaling> delayed_;
  SourceLocation delayed_place_;
  SourceLocation format_place_, rounding_place_, bits_place_;
  SourceLocation detail_place_;  // of the first field that needs a format beside it
  std::string detail_;
  SourceLocation rotation_place_;  // of the last field that means something only beside rotate
  std::string rotation_detail_;
};

/// Its rotation, " rotate=16 rotate_signs=none", or nothing where there is none.
std::string rotation_text(const SlotSpec& slot);

/// Its estimator, " gradient=power scale_gradient=absmax", or nothing for straight through.
std::string gradient_text(const GradientSpec& gradient);

/// Its delayed scaling, " delayed=history:1024,every:1,margin:1,current:false", or nothing where there is none.
std::string delayed_text(const std::optional<DelayedScaling>& delayed);

/// Canonical text of what a slot does, e.g. "e2m1 block=32 scale=e8m0 rule=ocp_floor round=nearest" or "float32".
std::string to_text(const SlotSpec& slot);

}  // namespace bitlaw
