import './base.css';
import './panel.css';
import './log.css';
import './cells.css';
