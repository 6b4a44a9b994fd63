#include "core/record/hdf5_compare.h"

#include <fmt/format.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "core/base/error.h"

namespace bitlaw::hdf5 {
namespace {

constexpr double kRounding = 1e-12;  ///< of a logarithm that another machine took

Handle type_of(hid_t dataset, const std::string& place) {
  return {H5Dget_type(dataset), H5Tclose, place, "reading the type"};
}

std::vector<hsize_t> shape_of(hid_t dataset, const std::string& place) {
  const Handle space(H5Dget_space(dataset), H5Sclose, place, "reading the shape");
  const int rank = H5Sget_simple_extent_ndims(space.id());
  std::vector<hsize_t> shape(static_cast<std::size_t>(std::max(rank, 0)));
  if (!shape.empty()) H5Sget_simple_extent_dims(space.id(), shape.data(), nullptr);
  return shape;
}

/// What is attached to an axis: the last name of the scale's path, and its length.
struct Scale {
  std::string name;
  hssize_t length = 0;
};

herr_t collect_scale(hid_t, unsigned, hid_t scale, void* scales) {
  std::string path(static_cast<std::size_t>(std::max<ssize_t>(0, H5Iget_name(scale, nullptr, 0))), '\0');
  H5Iget_name(scale, path.data(), path.size() + 1);
  const hid_t space = H5Dget_space(scale);
  const hssize_t length = H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  static_cast<std::vector<Scale>*>(scales)->push_back({path.substr(path.rfind('/') + 1), length});
  return 0;
}

/// Nothing where the axis points to a scale that is gone.
std::vector<Scale> scales_of(hid_t dataset, unsigned axis) {
  std::vector<Scale> scales;
  if (H5DSiterate_scales(dataset, axis, nullptr, collect_scale, &scales) < 0) scales.clear();
  return scales;
}

bool tracks_order(unsigned flags) {
  return (flags & H5P_CRT_ORDER_TRACKED) != 0 && (flags & H5P_CRT_ORDER_INDEXED) != 0;
}

bool tracks_creation_order(hid_t object, const std::string& place) {
  const bool is_group = H5Iget_type(object) == H5I_GROUP;
  const Handle creation(is_group ? H5Gget_create_plist(object) : H5Dget_create_plist(object), H5Pclose, place,
                        "reading how it was made");
  unsigned attributes = 0, links = 0;
  H5Pget_attr_creation_order(creation.id(), &attributes);
  if (is_group) H5Pget_link_creation_order(creation.id(), &links);
  return tracks_order(attributes) && (!is_group || tracks_order(links));
}

herr_t collect_link(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

/// The text of an attribute of one; nothing where it is none.
std::optional<std::string> text_of(hid_t attribute) {
  const Handle type(H5Aget_type(attribute), H5Tclose, "attribute", "reading the type");
  if (H5Tis_variable_str(type.id()) <= 0) return std::nullopt;
  char* text = nullptr;
  if (H5Aread(attribute, type.id(), &text) < 0 || text == nullptr) return std::nullopt;
  std::string copy(text);
  H5free_memory(text);
  return copy;
}

bool agree(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b)) ||
         std::abs(a - b) <= kRounding * std::max(std::abs(a), std::abs(b));
}
template <typename T>
bool agree(const T& a, const T& b) {
  return a == b;
}

class Comparison {
 public:
  explicit Comparison(const std::set<std::string>& may_lack) : may_lack_(may_lack) {}

  void compare(const Group& wanted, const Group& found) {
    compare_object(wanted.id(), found.id(), found.place());
    std::vector<std::string> names;
    require(H5Literate(wanted.id(), H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, collect_link, &names), wanted.place(),
            "listing the members");
    for (const std::string& name : names) compare_member(wanted, found, name);
  }

  std::vector<std::string> take() { return std::move(messages_); }

 private:
  void add(const std::string& place, const std::string& what) {
    messages_.push_back(fmt::format("{}: {}; {}", place, what, kRemedy));
  }

  void compare_member(const Group& wanted, const Group& found, const std::string& name) {
    const std::string place = found.place_of(name);
    if (!found.contains(name)) {
      if (!may_lack_.contains(name)) add(place, "is missing, so programs that read this kind of file fail on it");
      return;
    }
    const Handle a(H5Oopen(wanted.id(), name.c_str(), H5P_DEFAULT), H5Oclose, wanted.place(), "opening a member");
    const Handle b(H5Oopen(found.id(), name.c_str(), H5P_DEFAULT), H5Oclose, place, "opening it");
    if (H5Iget_type(a.id()) != H5Iget_type(b.id())) {
      add(place, fmt::format("is no {}, so programs that read this kind of file fail on it",
                             H5Iget_type(a.id()) == H5I_GROUP ? "group" : "dataset"));
    } else if (H5Iget_type(a.id()) == H5I_GROUP) {
      compare(wanted.open_group(name), found.open_group(name));
    } else {
      compare_object(a.id(), b.id(), place);
      if (compare_shapes(a.id(), b.id(), place)) compare_values(wanted, found, name, a.id(), b.id());
    }
  }

  /// What groups and datasets have alike.
  void compare_object(hid_t wanted, hid_t found, const std::string& place) {
    if (!tracks_creation_order(found, place))
      add(place, "does not keep the order in which its parts were made, so netCDF4 cannot add to the file");
    for (const std::string& name : attributes_of(wanted)) {
      // How HDF5 notes dimensions, which are compared as such.
      if (name != "CLASS" && name != "NAME" && name != "REFERENCE_LIST" && name != "DIMENSION_LIST")
        compare_attribute(wanted, found, name, place);
    }
  }

  void compare_attribute(hid_t wanted, hid_t found, const std::string& name, const std::string& place) {
    if (H5Aexists(found, name.c_str()) <= 0) {
      if (!may_lack_.contains(name))
        add(place, fmt::format("has no attribute '{}', so nobody can tell what it is without the program", name));
      return;
    }
    const Handle a(H5Aopen(wanted, name.c_str(), H5P_DEFAULT), H5Aclose, place, "opening an attribute");
    const Handle b(H5Aopen(found, name.c_str(), H5P_DEFAULT), H5Aclose, place, "opening an attribute");
    const Handle a_type(H5Aget_type(a.id()), H5Tclose, place, "reading the type of an attribute");
    const Handle b_type(H5Aget_type(b.id()), H5Tclose, place, "reading the type of an attribute");
    const bool is_text = H5Tget_class(a_type.id()) == H5T_STRING;
    if (H5Tget_class(a_type.id()) != H5Tget_class(b_type.id())) {
      add(place,
          fmt::format("attribute '{}' is no {}, so programs that read it fail", name, is_text ? "text" : "number"));
    } else if (name == "units" && text_of(a.id()) != text_of(b.id())) {
      add(place, fmt::format("has units '{}' instead of '{}', so its numbers would be taken for others",
                             text_of(b.id()).value_or("?"), text_of(a.id()).value_or("?")));
    } else if (name == "long_name" && text_of(b.id()).value_or("x").empty()) {
      add(place, "has an empty long_name, so nobody can tell what it is without the program");
    }
  }

  /// Whether values can be compared.
  bool compare_shapes(hid_t wanted, hid_t found, const std::string& place) {
    const std::vector<hsize_t> shape = shape_of(wanted, place);
    if (const auto other = shape_of(found, place); other != shape) {
      add(place, fmt::format("has the shape [{}] where its dimensions make [{}], so rows do not belong together",
                             fmt::join(other, ", "), fmt::join(shape, ", ")));
      return false;
    }
    if (H5DSis_scale(wanted) > 0 && H5DSis_scale(found) <= 0)
      add(place, "is no dimension scale, so xarray knows its dimension by no name");
    for (unsigned axis = 0; axis < shape.size(); ++axis) compare_scales(wanted, found, axis, shape[axis], place);
    const Handle a = type_of(wanted, place), b = type_of(found, place);
    const bool texts = H5Tis_variable_str(a.id()) > 0 && H5Tis_variable_str(b.id()) > 0;
    const bool tables = H5Tget_class(a.id()) == H5T_COMPOUND && H5Tget_class(b.id()) == H5T_COMPOUND;
    if (texts || tables || H5Tequal(a.id(), b.id()) > 0) return true;
    add(place, "has another type of value than files of this kind have, so programs that read it may fail");
    return false;
  }

  void compare_scales(hid_t wanted, hid_t found, unsigned axis, hsize_t length, const std::string& place) {
    const std::vector<Scale> expected = scales_of(wanted, axis);
    if (expected.empty()) return;
    const std::vector<Scale> actual = scales_of(found, axis);
    const std::string& name = expected.front().name;
    const auto scale = std::find_if(actual.begin(), actual.end(), [&](const Scale& s) { return s.name == name; });
    if (scale == actual.end()) {
      add(place,
          fmt::format("has no dimension scale '{}' on axis {}, so xarray and h5netcdf refuse it or make up a name",
                      name, axis));
    } else if (scale->length != static_cast<hssize_t>(length)) {
      add(place, fmt::format("has {} values along axis {} and its dimension '{}' {}, so rows do not belong together",
                             length, axis, name, scale->length));
    }
  }

  void compare_values(const Group& wanted, const Group& found, const std::string& name, hid_t a, hid_t b) {
    const Handle type = type_of(a, found.place());
    switch (H5Tget_class(type.id())) {
      case H5T_STRING:
        return compare_elements<std::string>(wanted, found, name);
      case H5T_INTEGER:
        return H5Tget_sign(type.id()) == H5T_SGN_NONE ? compare_elements<std::uint64_t>(wanted, found, name)
                                                      : compare_elements<std::int64_t>(wanted, found, name);
      case H5T_FLOAT:
        return compare_elements<double>(wanted, found, name);
      case H5T_COMPOUND:
        return compare_tables(type.id(), a, b, found.place_of(name));
      default:
        return;
    }
  }

  template <typename T>
  void compare_elements(const Group& wanted, const Group& found, const std::string& name) {
    const std::vector<T> a = wanted.read<T>(name), b = found.read<T>(name);
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (agree(a[i], b[i])) continue;
      add(found.place_of(name),
          fmt::format("element {} is '{}' where the rest of the file makes it '{}', so one of the "
                      "two was changed",
                      i, b[i], a[i]));
      return;
    }
  }

  /// By column, since another program may have added some.
  void compare_tables(hid_t type, hid_t a, hid_t b, const std::string& place) {
    const Handle other = type_of(b, place);
    const std::size_t rows = shape_of(a, place).at(0);
    for (unsigned column = 0; column < static_cast<unsigned>(std::max(0, H5Tget_nmembers(type))); ++column) {
      char* text = H5Tget_member_name(type, column);
      const std::string name(text == nullptr ? "" : text);
      H5free_memory(text);
      if (H5Tget_member_index(other.id(), name.c_str()) < 0) {
        if (!may_lack_.contains(name)) add(place, fmt::format("has no column '{}', so queries by it fail", name));
        continue;
      }
      const Handle member(H5Tget_member_type(type, column), H5Tclose, place, "reading the type of a column");
      const std::size_t bytes = H5Tget_size(member.id());
      const auto first = column_of(a, name, member.id(), rows * bytes, place),
                 second = column_of(b, name, member.id(), rows * bytes, place);
      const auto differing = std::mismatch(first.begin(), first.end(), second.begin());
      if (differing.first == first.end()) continue;
      add(place, fmt::format("column '{}' differs from the runs in row {}, so pandas shows other results than xarray",
                             name, static_cast<std::size_t>(differing.first - first.begin()) / bytes));
    }
  }

  static std::vector<char> column_of(hid_t table, const std::string& name, hid_t type, std::size_t bytes,
                                     const std::string& place) {
    const Handle row(H5Tcreate(H5T_COMPOUND, H5Tget_size(type)), H5Tclose, place, "making a row type");
    require(H5Tinsert(row.id(), name.c_str(), 0, type), place, "making a row type");
    std::vector<char> values(bytes);
    if (bytes > 0) {
      require(H5Dread(table, row.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), place,
              fmt::format("reading column '{}'", name));
    }
    return values;
  }

  const std::set<std::string>& may_lack_;
  std::vector<std::string> messages_;
};

}  // namespace

std::vector<std::string> differences(const Group& wanted, const Group& found, const std::set<std::string>& may_lack) {
  Comparison comparison(may_lack);
  comparison.compare(wanted, found);
  return comparison.take();
}

}  // namespace bitlaw::hdf5
