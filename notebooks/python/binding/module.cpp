#include "core/base/build_info.h"
#include "core/base/error.h"
#include "notebooks/python/binding/python_types.h"

namespace nb = nanobind;

NB_MODULE(_core, m) {
  m.doc() = "The C++ library under the package bitlaw; its functions take what bitlaw's own functions prepare.";
  nb::register_exception_translator([](const std::exception_ptr& error, void*) {
    try {
      std::rethrow_exception(error);
    } catch (const bitlaw::InputError& e) {
      PyErr_SetString(PyExc_ValueError, e.what());
    }
  });
  m.attr("commit") = nb::str(bitlaw::build_info().commit.c_str());
  m.attr("version") = nb::str(bitlaw::build_info().version.c_str());
  bitlaw::python::bind_formats(m);
  bitlaw::python::bind_elements(m);
  bitlaw::python::bind_blocks(m);
  bitlaw::python::bind_products(m);
  bitlaw::python::bind_fits(m);
}
