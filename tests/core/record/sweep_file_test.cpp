#include "core/record/sweep_file.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <hdf5_hl.h>

#include <array>
#include <filesystem>
#include <thread>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/record/hdf5.h"
#include "tests/core/record/planted_sweep.h"
#include "tests/core/record/same_record.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;
namespace fs = std::filesystem;

namespace {

std::string message_of_reading(const fs::path& path) {
  return message_of([&] { read_sweep_file(path); });
}

}  // namespace

TEST_CASE("sweep file: everything comes back bit for bit") {
  const TemporaryFolder folder;
  write_sweep_file(folder / "sweep.h5", planted_sweep());
  check_same_sweep(read_sweep_file(folder / "sweep.h5"), planted_sweep());
}

TEST_CASE("sweep file: no runs and no fits come back as such") {
  const TemporaryFolder folder;
  write_sweep_file(folder / "sweep.h5", SweepFile{});
  check_same_sweep(read_sweep_file(folder / "sweep.h5"), SweepFile{});
}

TEST_CASE("sweep file: runs without curve or configuration, and two fits of one name") {
  const TemporaryFolder folder;
  SweepFile sweep;
  sweep.runs.resize(2);
  sweep.fits.resize(2);
  sweep.fits[0].name = sweep.fits[1].name = "law";
  sweep.fits[1].cost = 7;
  write_sweep_file(folder / "sweep.h5", sweep);
  check_same_sweep(read_sweep_file(folder / "sweep.h5"), sweep);
}

TEST_CASE("sweep file: numbers that compare equal or never do keep their bits in the configuration") {
  const TemporaryFolder folder;
  SweepFile sweep;
  sweep.runs.resize(2);
  sweep.runs[0].config = {{"nan", std::nan("")}, {"zero", 0.0}, {"one", std::int64_t{1}}};
  sweep.runs[1].config = {{"nan", std::nan("")}, {"zero", -0.0}, {"one", 1.0}};
  write_sweep_file(folder / "sweep.h5", sweep);
  check_same_sweep(read_sweep_file(folder / "sweep.h5"), sweep);
}

TEST_CASE("sweep file: a long curve, which is stored compressed, comes back") {
  const TemporaryFolder folder;
  SweepFile sweep;
  sweep.runs.resize(1);
  for (int i = 0; i < 50000; ++i) {
    sweep.runs[0].curve.push_back({i, 64 * i, 1.0 / (i + 1), 1e-3 * i, static_cast<double>(i % 7)});
  }
  write_sweep_file(folder / "sweep.h5", sweep);
  check_same_sweep(read_sweep_file(folder / "sweep.h5"), sweep);
}

TEST_CASE("sweep file: writing replaces the old file and leaves nothing beside it") {
  const TemporaryFolder folder;
  write_sweep_file(folder / "sweep.h5", planted_sweep());
  SweepFile second;
  second.title = "second";
  write_sweep_file(folder / "sweep.h5", second);
  CHECK(read_sweep_file(folder / "sweep.h5").title == "second");
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("sweep file: threads may write and read at the same time") {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::vector<int> intact(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const fs::path path = folder / fmt::format("{}.h5", t);
      for (int repeat = 0; repeat < 5; ++repeat) {
        write_sweep_file(path, planted_sweep());
        intact[static_cast<std::size_t>(t)] += read_sweep_file(path).fits.at(0).draws.size() == 6;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(intact == std::vector<int>(4, 5));
}

TEST_CASE("sweep file: what is not one is refused in one line that says what, why and the remedy") {
  const TemporaryFolder folder;
  const std::string missing = folder / "missing.h5", text = folder / "text.h5";
  write_file_atomically(text, "params,tokens,loss\n");
  CHECK(message_of_reading(missing) == missing + ": there is no such file; give the sweep.h5 of a results folder");
  CHECK(message_of_reading(text) ==
        text + ": is not an HDF5 file, so it holds no sweep; give the sweep.h5 of a results folder");
  CHECK(message_of_reading(folder.path()) == folder.path().string() +
                                                 ": is not an HDF5 file, so it holds no sweep; give the sweep.h5 of a "
                                                 "results folder");
}

TEST_CASE("sweep file: HDF5 of another program, of a newer version or with a part missing is told apart") {
  const TemporaryFolder folder;
  const fs::path path = folder / "other.h5";
  { hdf5::File::create(path).save(); }
  CHECK(message_of_reading(path) ==
        path.string() + ": is an HDF5 file but not a sweep file of bitlaw; give the sweep.h5 of a results folder");
  {
    const hdf5::File file = hdf5::File::create(path);
    file.root().set_attribute("schema_version", std::int64_t{kSweepSchemaVersion + 1});
    file.root().create_group("runs");
    file.save();
  }
  CHECK(message_of_reading(path) ==
        path.string() +
            ": has schema version 2, but this program knows up to 1, so it would misread the file; update "
            "bitlaw");
  {
    const hdf5::File file = hdf5::File::create(path);
    file.root().set_attribute("schema_version", std::int64_t{kSweepSchemaVersion});
    for (const char* name : {"experiment", "title", "command", "config_yaml"}) {
      file.root().set_attribute(name, std::string("x"));
    }
    file.root().set_attribute("failed_runs", std::int64_t{0});
    file.root().create_group("runs");
    file.save();
  }
  CHECK(message_of_reading(path).starts_with(path.string() + ":/runs: has no 'run_id', so the file is not whole"));
}

TEST_CASE("hdf5: texts that another program made room for but never wrote read as empty") {
  const TemporaryFolder folder;
  const hdf5::File file = hdf5::File::create(folder / "gaps.h5");
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const hsize_t extent = 2;
  const hid_t space = H5Screate_simple(1, &extent, nullptr);
  H5Dclose(H5Dcreate2(file.root().id(), "texts", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Tclose(type);
  CHECK(file.root().read<std::string>("texts") == std::vector<std::string>{"", ""});
  CHECK_THROWS_AS(file.root().read<double>("texts"), InputError);
}

TEST_CASE("sweep file: an unwritable folder is an input error and leaves the disk alone") {
  CHECK_THROWS_AS(write_sweep_file("/nonexistent/folder/sweep.h5", SweepFile{}), InputError);
}

TEST_CASE("sweep file: cut anywhere, it is refused in one line") {
  const TemporaryFolder folder;
  const fs::path whole = folder / "sweep.h5", cut = folder / "cut.h5";
  write_sweep_file(whole, planted_sweep());
  const std::string bytes = read_file(whole);
  for (std::size_t eighth = 0; eighth < 8; ++eighth) {
    write_file_atomically(cut, std::string_view(bytes).substr(0, bytes.size() * eighth / 8));
    const std::string message = message_of_reading(cut);
    CAPTURE(message);
    CHECK(message.starts_with(cut.string()));
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("sweep file: a changed byte anywhere is refused before HDF5, which some of them crash, reads it") {
  const TemporaryFolder folder;
  const fs::path whole = folder / "sweep.h5", damaged = folder / "damaged.h5";
  write_sweep_file(whole, planted_sweep());
  const std::string bytes = read_file(whole);
  const std::size_t signature = 8, step = bytes.size() / 50;
  for (std::size_t at = signature; at < bytes.size() - 60; at += step) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(~changed[at]);
    write_file_atomically(damaged, changed);
    CHECK(
        message_of_reading(damaged) ==
        damaged.string() +
            ": is damaged, its bytes are not those that were written, so none of it can be trusted; restore it or run "
            "the experiment again");
  }
}

TEST_CASE("sweep file: one that another program wrote to is still read") {
  const TemporaryFolder folder;
  const fs::path path = folder / "sweep.h5";
  for (const bool grows : {false, true}) {
    CAPTURE(grows);
    write_sweep_file(path, planted_sweep());
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    REQUIRE(file >= 0);
    if (grows) {
      const std::vector<double> note(1000, 1.5);
      CHECK(H5LTmake_dataset_double(file, "note", 1, std::array<hsize_t, 1>{1000}.data(), note.data()) >= 0);
    } else {
      const hid_t diverged = H5Dopen2(file, "runs/diverged", H5P_DEFAULT);
      const std::vector<std::int8_t> flags(planted_sweep().runs.size(), 1);
      CHECK(H5Dwrite(diverged, H5T_NATIVE_INT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, flags.data()) >= 0);
      H5Dclose(diverged);
    }
    REQUIRE(H5Fclose(file) >= 0);
    const SweepFile changed = read_sweep_file(path);
    CHECK(changed.fits.size() == planted_sweep().fits.size());
    for (const RunRecord& run : changed.runs) CHECK((grows || run.diverged));
  }
}
