/** A plugin's settings as its schema in `schema/` has them; the defaults of the schema where nothing else is said. */
import { ISettingRegistry } from '@jupyterlab/settingregistry';

/** Call `use` with the settings now and after each change; never where there is no registry. */
export async function followSettings<T>(
  registry: ISettingRegistry | null,
  plugin: string,
  use: (settings: T) => void
): Promise<void> {
  if (!registry) {
    return;
  }
  try {
    const settings = await registry.load(plugin);
    const tell = () => use(settings.composite as unknown as T);
    settings.changed.connect(tell);
    tell();
  } catch (error) {
    console.warn(`The settings of ${plugin} could not be read; the defaults hold.`, error);
  }
}
