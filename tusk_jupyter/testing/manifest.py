"""What a driver says of itself: `info`."""

from __future__ import annotations

import re
import subprocess

from tusk_jupyter.driverkit.session import Settings
from tusk_jupyter.protocol import codec
from tusk_jupyter.protocol.manifest import Manifest
from tusk_jupyter.protocol.version import PROTOCOL_VERSION
from tusk_jupyter.sqltext.dialects import DIALECTS
from tusk_jupyter.testing.remote import ProcessBase

JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


class ManifestContract(ProcessBase):
    """`info`."""

    def test_info_prints_the_manifest_and_nothing_else(self) -> None:
        said = self.info()
        assert said.returncode == 0, said.stderr.decode()
        assert codec.decode(Manifest, said.stdout) == self.manifest()

    def test_manifest_fits_this_protocol(self) -> None:
        manifest = self.manifest()
        assert manifest.protocol == PROTOCOL_VERSION
        assert manifest.dialect in DIALECTS
        assert manifest.name.isidentifier()
        assert manifest.name == manifest.name.lower()
        assert manifest.title
        assert manifest.version
        assert all(scheme == scheme.lower() and "://" not in scheme for scheme in manifest.schemes)
        assert all(suffix.startswith(".") for suffix in manifest.suffixes)
        assert manifest.schemes or manifest.suffixes, "no URL and no path leads to this driver"

    def test_fields_are_a_json_schema_that_a_form_can_be_drawn_from(self) -> None:
        manifest = self.manifest()
        assert manifest.fields["type"] == "object"
        assert set(manifest.fields.get("required", ())) <= set(manifest.properties)
        assert manifest.locked_file is None or manifest.locked_file in manifest.properties
        for name, spec in manifest.properties.items():
            assert spec["type"] in JSON_TYPES, name
            assert spec.get("title"), f"{name} has no title"
            for value in [spec.get("default"), *spec.get("enum", ())]:
                assert value is None or isinstance(value, JSON_TYPES[spec["type"]]), f"{name}: {value!r}"
            if "enum" in spec and "default" in spec:
                assert spec["default"] in spec["enum"], name
            assert spec.get("minimum", 0) <= spec.get("maximum", 2**63), name

    def test_secret_fields_are_texts_without_a_default(self) -> None:
        manifest = self.manifest()
        for name in manifest.secret_fields:
            assert manifest.properties[name]["type"] == "string"
            assert "default" not in manifest.properties[name]

    def test_ways_to_sign_in_name_declared_fields(self) -> None:
        manifest = self.manifest()
        names = [way.name for way in manifest.sign_in]
        assert len(set(names)) == len(names)
        for way in manifest.sign_in:
            assert way.title, way.name
            assert set(way.fields) <= set(manifest.properties), way.name
            assert set(way.required) | set(way.properties) <= set(way.fields), way.name
            for name, spec in way.properties.items():
                assert set(spec) <= {"title", "description", "default", "pattern", "const"}, f"{way.name}: {name}"
                re.compile(spec.get("pattern", ""))
                for value in (spec.get("default"), spec.get("const")):
                    assert value is None or isinstance(value, JSON_TYPES[manifest.properties[name]["type"]]), name

    def test_settings_of_these_tests_use_declared_fields(self, settings: Settings) -> None:
        manifest = self.manifest()
        assert set(settings.config) <= set(manifest.properties) - set(manifest.secret_fields)
        assert set(settings.secrets) <= set(manifest.secret_fields)

    def test_unknown_command_is_an_error_without_output(self) -> None:
        said = subprocess.run([*self.driver_command(), "frobnicate"], capture_output=True, timeout=60, check=False)
        assert said.returncode != 0
        assert said.stdout == b""
