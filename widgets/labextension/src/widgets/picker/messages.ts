/** What travels between a view and its kernel; the kernel's side is `tusk_widgets/picker_messages.py`. */

export interface PickerState {
  value: string | null;
  [name: string]: unknown;
}

export interface Line {
  /** Of the connection, whatever its name. */
  id: string;
  name: string;
  driver: string;
  target: string;
  state: 'disconnected' | 'connecting' | 'connected' | 'disconnecting' | 'failed';
  tier: string | null;
  secret_lost?: boolean;
  read_only: boolean;
  environment: string | null;
  current: boolean;
  missing: boolean;
}

export type Value = string | number | boolean;

export interface FieldSpec {
  type?: string;
  title?: string;
  description?: string;
  default?: Value | null;
  enum?: Value[];
  minimum?: number;
  maximum?: number;
  pattern?: string;
  const?: Value;
  secret?: boolean;
  format?: string;
}

export interface Way {
  name: string;
  title: string;
  fields: string[];
  required: string[];
  properties: Record<string, FieldSpec>;
}

export interface Driver {
  name: string;
  title: string;
  version: string;
  origin: string;
  schemes: string[];
  fields: { properties?: Record<string, FieldSpec>; required?: string[] };
  sign_in: Way[];
  problem: string | null;
}

export interface Tier {
  name: string;
  usable: boolean;
  reason: string;
}

export interface Suggestion {
  driver: string;
  name: string;
  config: Record<string, Value>;
  variables: Record<string, string>;
  has_secret: boolean;
}

export interface Catalog {
  drivers: Driver[];
  tiers: Tier[];
  suggestions: Suggestion[];
}

export interface Connection {
  id: string;
  name: string;
  driver: string;
  config: Record<string, Value>;
  target: string;
  credential_tier: string | null;
  secret_lost?: boolean;
  updated_at?: string;
  read_only: boolean;
  environment: string | null;
  timeout_s: number | null;
  memory_limit_mb: number | null;
  isolation: string;
  log: boolean;
}

export interface Details {
  connection: Connection;
  secret_fields: string[];
  password_command: boolean;
}

export type SourceKind = 'typed' | 'environment' | 'command' | 'kept' | 'none';

export interface Source {
  source: SourceKind;
  variable?: string;
  command?: string;
}

export interface FormData {
  id: string;
  driver: string;
  way: string;
  name: string;
  original: string | null;
  seen: string | null;
  config: Record<string, Value>;
  secrets: Record<string, Source>;
  tier: string | null;
  read_only: boolean;
  environment: string | null;
  timeout_s: number | null;
  memory_limit_mb: number | null;
  isolation: string;
  log: boolean;
}

export interface WireError {
  kind?: string;
  message: string;
  hint?: string | null;
  detail?: string | null;
  /** The known situation; `changed_elsewhere` and `no_connection` are heeded here. */
  scenario?: string | null;
}

export interface Step {
  stage: string;
  title: string;
  mark: 'done' | 'failed' | 'open';
  what: string;
}

export interface Tested {
  ok?: boolean;
  server?: string;
  /** How the link is secured and whether the server is verified, in words. */
  link?: string;
  elapsed_s?: number;
  error?: WireError | null;
  steps?: Step[];
  problems?: Record<string, string>;
}

export interface Saved extends Tested {
  saved: boolean;
  name?: string;
  notices?: string[];
  lines?: Line[];
}

export interface Removed {
  name: string;
  tiers: string[];
  sessions: number;
  lines: Line[];
}
