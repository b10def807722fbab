"""Sphinx's configuration of the documentation, which `scripts/docs` builds."""

import sys
from importlib import metadata
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

project = "wallaroo-ext"
version = release = metadata.version("wallaroo-ext")
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "scripts.lib.docs.repository_pages",
    "scripts.lib.docs.generated_parts",
    "scripts.lib.docs.docstrings",
]
exclude_patterns = ["_build", ".site-*"]
smartquotes = False  # `--json` stays what one types

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks have their outputs; a test runs them again
nb_ipywidgets_js = {}  # it would come from elsewhere
suppress_warnings = ["config.cache"]

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_use_rtype = False

html_theme = "furo"
html_title = "wallaroo-ext"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
copybutton_exclude = ".linenos, .gp, .go"
