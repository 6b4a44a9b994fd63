// Writes the sweep files that the Python readers are tried on: write_planted_sweep FOLDER
#include <filesystem>

#include "core/record/sweep_file.h"
#include "tests/core/record/planted_sweep.h"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  std::filesystem::create_directories(folder);
  bitlaw::write_sweep_file(folder / "planted.h5", bitlaw::planted_sweep());
  bitlaw::write_sweep_file(folder / "empty.h5", bitlaw::SweepFile{});
  bitlaw::write_fit_file(folder / "fits.h5", bitlaw::planted_sweep().fits, "bitlaw fit");
}
