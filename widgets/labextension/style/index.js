import './base.css';
import './panel.css';
import './log.css';
import './cells.css';
import '../src/widgets/grid.entry.css';
import '../src/widgets/picker.entry.css';
