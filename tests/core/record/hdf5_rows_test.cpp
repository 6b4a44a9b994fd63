#include "core/record/hdf5_rows.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <hdf5_hl.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/base/file.h"
#include "core/record/sweep_file.h"
#include "tests/core/record/planted_sweep.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;

namespace {

/// A file that the calls of the C library fill, closed at the end.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : id_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~NewFile() { H5Fclose(id_); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  hid_t id() const { return id_; }
  void group(const char* name) { H5Gclose(H5Gcreate2(id_, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); }
  /// One dimension of `size` values of a type, in memory as in the file.
  void vector(const char* name, hid_t type, hsize_t size, const void* values) {
    H5LTmake_dataset(id_, name, 1, &size, type, values);
  }

 private:
  hid_t id_;
};

hid_t text_type(std::size_t bytes, H5T_str_t padding = H5T_STR_NULLPAD) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, bytes);
  if (bytes != H5T_VARIABLE) H5Tset_strpad(type, padding);
  return type;
}

/// Two rows as pandas stores them: an index, a block of two columns, one of a text, and a truth value.
struct PandasRow {
  std::int64_t index;
  double block[2];
  char words[4];
  std::uint8_t kept;
};
constexpr std::array<PandasRow, 2> kPandasRows{
    {{7, {0.5, 2.5}, {'f', 'p', '8', '\0'}, 1}, {8, {0.25, 2.25}, {'b', 'f', '1', '6'}, 0}}};

void write_pandas_rows(NewFile& file, const char* name) {
  const hsize_t two = 2, one = 1;
  const hid_t row = H5Tcreate(H5T_COMPOUND, sizeof(PandasRow));
  H5Tinsert(row, "index", offsetof(PandasRow, index), H5T_NATIVE_INT64);
  H5Tinsert(row, "values_block_0", offsetof(PandasRow, block), H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &two));
  H5Tinsert(row, "values_block_1", offsetof(PandasRow, words), H5Tarray_create2(text_type(4), 1, &one));
  H5Tinsert(row, "kept", offsetof(PandasRow, kept), H5T_NATIVE_B8);
  file.vector(name, row, kPandasRows.size(), kPandasRows.data());
}

using Texts = std::vector<std::vector<std::string>>;  // [row][column]

Texts texts_of(TableRows& rows) {
  Texts texts;
  while (rows.next()) {
    texts.emplace_back();
    for (std::size_t k = 0; k < rows.names().size(); ++k) texts.back().push_back(rows.text(k));
  }
  return texts;
}

std::string message_of_opening(const std::string& table) {
  return message_of([&] { open_table(table); });
}

}  // namespace

TEST_CASE("table in HDF5: the vectors of a group are columns, whatever their numbers and texts are stored as") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  {
    NewFile file(path);
    file.group("/runs");
    file.vector("/runs/count", H5T_NATIVE_UINT64, 2, std::array<std::uint64_t, 2>{18446744073709551615U, 0}.data());
    file.vector("/runs/half", H5T_NATIVE_FLOAT, 2, std::array<float, 2>{0.5F, -0.25F}.data());
    file.vector("/runs/loss", H5T_NATIVE_DOUBLE, 2,
                std::array<double, 2>{0.1, std::numeric_limits<double>::quiet_NaN()}.data());
    file.vector("/runs/step", H5T_STD_I16LE, 2, std::array<std::int16_t, 2>{-3, 400}.data());
    file.vector("/runs/t1", text_type(H5T_VARIABLE), 2, std::array<const char*, 2>{"any length", ""}.data());
    file.vector("/runs/t2", text_type(3), 2, "ab\0abc");
    file.vector("/runs/t3", text_type(3, H5T_STR_SPACEPAD), 2, "a  abc");
    const hid_t truth = H5Tenum_create(H5T_NATIVE_INT8);
    for (const std::int8_t value : {std::int8_t{0}, std::int8_t{1}}) {
      H5Tenum_insert(truth, value == 0 ? "FALSE" : "TRUE", &value);
    }
    file.vector("/runs/truth", truth, 2, std::array<std::int8_t, 2>{1, 0}.data());
    const std::array<hsize_t, 2> square{2, 2};
    H5LTmake_dataset_double(file.id(), "/runs/square", 2, square.data(), std::array<double, 4>{}.data());
    H5Lcreate_soft("/nowhere", file.id(), "/runs/broken", H5P_DEFAULT, H5P_DEFAULT);
  }
  CHECK(is_table(path + ":/runs"));
  const auto rows = open_table(path + ":/runs");
  CHECK(rows->names() == std::vector<std::string>{"count", "half", "loss", "step", "t1", "t2", "t3", "truth"});
  CHECK(texts_of(*rows) == Texts{{"18446744073709551615", "0.5", "0.1", "-3", "any length", "ab", "a", "1"},
                                 {"0", "-0.25", "", "400", "", "abc", "abc", "0"}});
  CHECK(std::isnan(rows->number(2)));
  CHECK(rows->place(3).to_string() == path + ":/runs:2:4");
}

TEST_CASE("table in HDF5: arrays in a compound dataset are columns, called as pandas notes them") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.hdf5";
  {
    NewFile file(path);
    file.group("/runs");
    write_pandas_rows(file, "/runs/table");
  }
  const auto plain = open_table(path + ":/runs/table");
  CHECK(plain->names() ==
        std::vector<std::string>{"index", "values_block_0[0]", "values_block_0[1]", "values_block_1[0]", "kept"});
  CHECK(texts_of(*plain) == Texts{{"7", "0.5", "2.5", "fp8", "1"}, {"8", "0.25", "2.25", "bf16", "0"}});
  {
    // Python's pickle.dumps(["N", "loss"], 0) and pickle.dumps(["format"], 0)
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    H5LTset_attribute_string(file, "/runs/table", "values_block_0_kind", "(lp0\nVN\np1\naVloss\np2\na.");
    H5LTset_attribute_string(file, "/runs/table", "values_block_1_kind", "(lp0\nVformat\np1\na.");
    H5Fclose(file);
  }
  CHECK(open_table(path + ":/runs")->names() == std::vector<std::string>{"index", "N", "loss", "format", "kept"});
  CHECK(read_numbers(path + ":/runs", {"loss", "N", "kept"}) ==
        std::vector<std::vector<double>>{{2.5, 2.25}, {0.5, 0.25}, {1, 0}});
}

TEST_CASE("table in HDF5: that of our own sweep files has the runs' numbers") {
  const TemporaryFolder folder;
  const std::string path = folder / "sweep.h5";
  const SweepFile sweep = planted_sweep();
  write_sweep_file(path, sweep);
  const auto tokens = read_numbers(path + ":/tables/runs", {"tokens"}).front();
  REQUIRE(tokens.size() == sweep.runs.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) CHECK(tokens[i] == static_cast<double>(sweep.runs[i].tokens));
}

TEST_CASE("table in HDF5: one without rows has columns") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  {
    NewFile file(path);
    file.vector("/loss", H5T_NATIVE_DOUBLE, 0, nullptr);
    file.vector("/name", text_type(3), 0, nullptr);
  }
  const auto rows = open_table(path + ":/");
  CHECK(rows->names() == std::vector<std::string>{"loss", "name"});
  CHECK_FALSE(rows->next());
}

// CF conventions 1.10, section 9.3.3: row_size counts the samples of each feature, which lie one after the other.
TEST_CASE("table in HDF5: the rows of a contiguous ragged array are its samples, with what their feature has") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  {
    NewFile file(path);
    file.vector("/loss", H5T_NATIVE_DOUBLE, 4, std::array<double, 4>{3, 2, 1, 4}.data());
    file.vector("/name", text_type(3), 2, "ab\0abc");
    file.vector("/row_size", H5T_NATIVE_INT64, 2, std::array<std::int64_t, 2>{3, 1}.data());
  }
  const auto rows = open_table(path + ":/");
  CHECK(rows->names() == std::vector<std::string>{"loss", "name", "row_size"});
  CHECK(texts_of(*rows) == Texts{{"3", "ab", "3"}, {"2", "ab", "3"}, {"1", "ab", "3"}, {"4", "abc", "1"}});
}

TEST_CASE("table in HDF5: columns of unequal length are refused") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  {
    NewFile file(path);
    file.vector("/N", H5T_NATIVE_DOUBLE, 3, std::array<double, 3>{1, 2, 3}.data());
    file.vector("/loss", H5T_NATIVE_DOUBLE, 2, std::array<double, 2>{1, 2}.data());
  }
  CHECK(message_of_opening(path + ":/") ==
        path +
            ":/: 'N' has 3 rows and 'loss' 2, so they are no columns of one table; keep those of equal length in a "
            "group of their own (in pandas, to_hdf with format=\"table\")");
}

TEST_CASE("table in HDF5: of a missing or other object, the tables that exist are named") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  {
    NewFile file(path);
    file.group("/empty");
    file.group("/runs");
    file.vector("/runs/loss", H5T_NATIVE_DOUBLE, 2, std::array<double, 2>{1, 2}.data());
    file.group("/other");
    write_pandas_rows(file, "/other/rows");
    file.group("/other/_i_table");  // of PyTables, for its own use
    file.vector("/other/_i_table/bounds", H5T_NATIVE_DOUBLE, 2, std::array<double, 2>{1, 2}.data());
  }
  CHECK(message_of_opening(path + ":/losses/of/mine") ==
        path +
            ":/losses/of/mine: does not exist in the file, so there are no rows to read; use one of: /other/rows, "
            "/runs");
  CHECK(message_of_opening(path + ":/run") ==
        path + ":/run: does not exist in the file, so there are no rows to read; did you mean '/runs'?");
  CHECK(message_of_opening(path + ":/runs/loss/x").find("does not exist") != std::string::npos);
  for (const char* object : {"/empty", "/runs/loss"}) {
    CHECK(message_of_opening(path + ":" + object).find("is no table, so there are no rows to read; ") !=
          std::string::npos);
  }
  const std::string bare = folder / "b.h5";
  { const NewFile file(bare); }
  CHECK(message_of_opening(bare + ":/runs") ==
        bare +
            ":/runs: does not exist in the file, so there are no rows to read; write a group of one-dimensional "
            "datasets, or a compound dataset");
}

TEST_CASE("table in HDF5: a missing, a cut and another file are told as such") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  {
    NewFile file(path);
    file.vector("/loss", H5T_NATIVE_DOUBLE, 2, std::array<double, 2>{1, 2}.data());
  }
  const std::string whole = read_file(path);
  const std::string cut = folder.write("b.h5", whole.substr(0, whole.size() / 2));
  CHECK(message_of_opening(cut + ":/").find("opening the file failed in the HDF5 library (truncated file") !=
        std::string::npos);
  const std::string text = folder.write("c.h5", "N,loss\n1,2\n");
  CHECK(message_of_opening(text + ":/") == text + ": is not an HDF5 file, so it holds no table; check the path");
  const std::string nothing = folder / "d.h5";
  CHECK(message_of_opening(nothing + ":/").find("No such file or directory") != std::string::npos);
  write_sweep_file(folder / "e.h5", planted_sweep());
  std::string changed = read_file(folder / "e.h5");
  changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
  const std::string damaged = folder.write("f.h5", changed);
  CHECK(message_of_opening(damaged + ":/tables/runs").find("is damaged") != std::string::npos);
}
