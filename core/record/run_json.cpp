#include "core/record/run_json.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/record/run_fields.h"
#include "core/record/statistics_fields.h"

namespace bitlaw {
namespace {

// Keeps the order of the fields, so that equal runs give equal text.
using OrderedJson = nlohmann::ordered_json;

template <typename T>
OrderedJson json_of(const T& value) {
  return value;
}

OrderedJson json_of(double value) {  // a NaN is dumped as null
  if (std::isinf(value)) return OrderedJson{{"infinity", value > 0 ? 1 : -1}};
  return value;
}

/// The value of T that `json` stands for; std::runtime_error when it stands for none.
template <typename T>
T value_of(const OrderedJson& json) {
  const auto demand = [](bool fits, const char* kind) {
    if (!fits) throw std::runtime_error(kind);
  };
  if constexpr (std::is_same_v<T, double>) {
    if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (json.is_object()) return json.at("infinity").get<int>() * std::numeric_limits<double>::infinity();
    demand(json.is_number(), "a number");
  } else if constexpr (std::is_same_v<T, bool>) {
    demand(json.is_boolean(), "true or false");
  } else if constexpr (std::is_same_v<T, std::string>) {
    demand(json.is_string(), "text");
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    demand(json.is_number_unsigned(), "an unsigned integer");
  } else {
    demand(json.is_number_integer(), "an integer");
  }
  return json.get<T>();
}

ConfigValue config_value(const OrderedJson& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_string()) return json.get<std::string>();
  return value_of<double>(json);
}

OrderedJson config_json(const std::map<std::string, ConfigValue>& config) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [key, value] : config) {
    json[key] = std::visit([](const auto& v) -> OrderedJson { return json_of(v); }, value);
  }
  return json;
}

std::map<std::string, ConfigValue> config_of(const OrderedJson& json) {
  if (!json.is_object()) throw std::runtime_error("a mapping");
  std::map<std::string, ConfigValue> config;
  for (const auto& [key, value] : json.items()) config[key] = config_value(value);
  return config;
}

/// Rows as one list per field: short text, and quick to load elsewhere.
template <typename Fields, typename Row>
OrderedJson rows_json(const Fields& fields, const std::vector<Row>& rows) {
  OrderedJson json = OrderedJson::object();
  for_each_field(fields, [&](const auto& field) {
    OrderedJson& column = json[field.name] = OrderedJson::array();
    for (const Row& row : rows) column.push_back(json_of(row.*field.member));
  });
  return json;
}

template <typename Row, typename Fields>
std::vector<Row> rows_of(const Fields& fields, const OrderedJson& json) {
  std::vector<Row> rows(json.at(std::get<0>(fields).name).size());
  for_each_field(fields, [&]<typename T>(const Field<Row, T>& field) {
    if (field.may_be_absent && !json.contains(field.name)) return;
    const OrderedJson& column = json.at(field.name);
    if (column.size() != rows.size()) throw std::runtime_error("lists of equal length");
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*field.member = value_of<T>(column.at(i));
  });
  return rows;
}

OrderedJson statistics_json(const RunStatistics& statistics) {
  return {{"slots", rows_json(kSlotStatisticsFields, statistics.slots)},
          {"products", rows_json(kProductStatisticsFields, statistics.products)},
          {"gradients", rows_json(kGradientStatisticsFields, statistics.gradients)}};
}

RunStatistics statistics_of(const OrderedJson& json) {
  return {rows_of<SlotStatistics>(kSlotStatisticsFields, json.at("slots")),
          rows_of<ProductStatistics>(kProductStatisticsFields, json.at("products")),
          rows_of<GradientStatistics>(kGradientStatisticsFields, json.at("gradients"))};
}

std::string dump(const OrderedJson& json) { return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace); }

OrderedJson parse(std::string_view text, std::string_view place) {
  try {
    return OrderedJson::parse(text);
  } catch (const OrderedJson::parse_error& error) {
    throw InputError(
        fmt::format("{}: is not JSON from byte {} of {} on, so nothing of it can be used; delete it and "
                    "run again",
                    place, error.byte, text.size()));
  }
}

/// Runs read(key) and turns its complaint about a value into an InputError.
template <typename Read>
void read_key(std::string_view place, const char* key, const OrderedJson& json, Read read) {
  const auto found = json.find(key);
  if (found == json.end()) {
    throw InputError(fmt::format("{}: lacks '{}', so it is not a complete run; delete it and run again", place, key));
  }
  try {
    read(*found);
  } catch (const std::exception& wanted) {
    const bool ours = dynamic_cast<const OrderedJson::exception*>(&wanted) == nullptr;
    throw InputError(fmt::format("{}: the value of '{}' is not {}, so it is not a run; delete it and run again", place,
                                 key, ours ? wanted.what() : "of the right form"));
  }
}

/// What `read` makes of a text that is one part of a run by itself.
template <typename Read>
auto part_from_json(const char* key, std::string_view text, std::string_view place, Read read) {
  decltype(read(OrderedJson())) part;
  read_key(place, key, OrderedJson{{key, parse(text, place)}}, [&](const OrderedJson& value) { part = read(value); });
  return part;
}

}  // namespace

std::string config_to_json(const std::map<std::string, ConfigValue>& config) { return dump(config_json(config)); }

std::map<std::string, ConfigValue> config_from_json(std::string_view text, std::string_view place) {
  return part_from_json("config", text, place, config_of);
}

std::string curve_to_json(const std::vector<CurvePoint>& curve) { return dump(rows_json(kCurveFields, curve)); }

std::vector<CurvePoint> curve_from_json(std::string_view text, std::string_view place) {
  return part_from_json("curve", text, place,
                        [](const OrderedJson& value) { return rows_of<CurvePoint>(kCurveFields, value); });
}

std::string statistics_to_json(const RunStatistics& statistics) { return dump(statistics_json(statistics)); }

RunStatistics statistics_from_json(std::string_view text, std::string_view place) {
  return part_from_json("statistics", text, place, statistics_of);
}

std::string run_to_json(const RunRecord& run) {
  OrderedJson json = OrderedJson::object();
  for_each_field(kRunFields, [&](const auto& field) { json[field.name] = json_of(run.*field.member); });
  json[kWallSeconds.name] = json_of(run.wall_seconds);
  json[kTimedOn.name] = json_of(run.timed_on);
  json["curve"] = rows_json(kCurveFields, run.curve);
  if (!run.statistics.empty()) json["statistics"] = statistics_json(run.statistics);
  json["config"] = config_json(run.config);
  return dump(json) + "\n";
}

RunRecord run_from_json(std::string_view text, std::string_view place) {
  const OrderedJson json = parse(text, place);
  RunRecord run;
  const auto read_field = [&]<typename T>(const Field<RunRecord, T>& field) {
    if (field.may_be_absent && !json.contains(field.name)) return;
    read_key(place, field.name, json, [&](const OrderedJson& value) { run.*field.member = value_of<T>(value); });
  };
  for_each_field(kRunFields, read_field);
  read_field(kWallSeconds);
  read_field(kTimedOn);
  read_key(place, "curve", json,
           [&](const OrderedJson& value) { run.curve = rows_of<CurvePoint>(kCurveFields, value); });
  if (json.contains("statistics")) {
    read_key(place, "statistics", json, [&](const OrderedJson& value) { run.statistics = statistics_of(value); });
  }
  read_key(place, "config", json, [&](const OrderedJson& value) { run.config = config_of(value); });
  return run;
}

}  // namespace bitlaw
