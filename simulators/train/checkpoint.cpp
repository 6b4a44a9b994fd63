#include "simulators/train/checkpoint.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/fingerprint.h"

namespace bitlaw {
namespace {

using nlohmann::json;

constexpr std::string_view kLayout = "bitlaw checkpoint 1";
constexpr std::array<const char*, 3> kTensors{"parameters", "first_moment", "second_moment"};

std::string bytes_of(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string payload(const TrainState& state) {
  return bytes_of(state.parameters) + bytes_of(state.first_moment) + bytes_of(state.second_moment);
}

json curve_to_json(const std::vector<CurvePoint>& curve) {
  json rows = json::array();
  for (const CurvePoint& p : curve) {
    rows.push_back({p.step, p.tokens, p.train_loss, p.learning_rate, p.gradient_norm});
  }
  return rows;
}

std::vector<CurvePoint> curve_from_json(const json& rows) {
  std::vector<CurvePoint> curve;
  for (const json& row : rows) {
    curve.push_back({row.at(0).get<std::int64_t>(), row.at(1).get<std::int64_t>(), row.at(2).get<double>(),
                     row.at(3).get<double>(), row.at(4).get<double>()});
  }
  return curve;
}

[[noreturn]] void refuse(const std::filesystem::path& path, std::string_view why) {
  throw InputError(
      fmt::format("{}: this checkpoint {}, so the run cannot continue from it; delete the file to start the run again",
                  path.string(), why));
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const std::string& identity, const TrainState& state) {
  const std::string data = payload(state);
  // safetensors metadata holds strings only, so the rest of the state is JSON text.
  const json rest = {{"step", state.step},
                     {"tail_loss", state.tail_loss},
                     {"tail_steps", state.tail_steps},
                     {"wall_seconds", state.wall_seconds},
                     {"curve", curve_to_json(state.curve)}};
  const std::string rest_text = rest.dump();
  json header;
  header["__metadata__"] = {{"layout", kLayout},
                            {"identity", identity},
                            {"state", rest_text},
                            {"fingerprint", fingerprint(rest_text + data)}};
  const std::size_t size = state.parameters.size() * sizeof(float);
  for (std::size_t i = 0; i < kTensors.size(); ++i) {
    header[kTensors[i]] = {
        {"dtype", "F32"}, {"shape", {state.parameters.size()}}, {"data_offsets", {i * size, (i + 1) * size}}};
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  write_file_atomically(path, file + text + data);
}

std::optional<TrainState> load_checkpoint(const std::filesystem::path& path, const std::string& identity) {
  if (!file_exists(path)) return std::nullopt;
  const std::string file = read_file(path);
  std::uint64_t length = 0;
  if (file.size() < sizeof length) refuse(path, "is cut short");
  std::memcpy(&length, file.data(), sizeof length);
  if (length > file.size() - sizeof length) refuse(path, "is cut short");
  const json header = json::parse(file.substr(sizeof length, length), nullptr, /*allow_exceptions=*/false);
  const std::string data = file.substr(sizeof length + length);
  try {
    const json& metadata = header.at("__metadata__");
    if (metadata.at("layout") != kLayout) refuse(path, "has an unknown layout");
    if (metadata.at("identity") != identity) refuse(path, "belongs to another run");
    const std::string rest_text = metadata.at("state");
    if (metadata.at("fingerprint") != fingerprint(rest_text + data)) refuse(path, "is damaged");
    const json rest = json::parse(rest_text);
    TrainState state{.step = rest.at("step").get<std::int64_t>(),
                     .parameters = {},
                     .first_moment = {},
                     .second_moment = {},
                     .tail_loss = rest.at("tail_loss").get<double>(),
                     .tail_steps = rest.at("tail_steps").get<std::int64_t>(),
                     .wall_seconds = rest.at("wall_seconds").get<double>(),
                     .curve = curve_from_json(rest.at("curve"))};
    const std::size_t count = data.size() / sizeof(float) / kTensors.size();
    const char* source = data.data();
    for (std::vector<float>* tensor : {&state.parameters, &state.first_moment, &state.second_moment}) {
      tensor->resize(count);
      std::memcpy(tensor->data(), source, count * sizeof(float));
      source += count * sizeof(float);
    }
    return state;
  } catch (const json::exception&) {
    refuse(path, "is damaged");
  }
}

std::string state_hash(const TrainState& state) { return fingerprint(std::to_string(state.step) + payload(state)); }

}  // namespace bitlaw
