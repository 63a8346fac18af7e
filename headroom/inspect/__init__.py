"""Pages to look at: a conversation before and after, and what a folder of transcripts would have saved.

Every page is one file: no script, nothing loaded from elsewhere, and every text of a conversation escaped.
"""

from headroom.inspect.conversation import conversation_page, result_page
from headroom.inspect.figures import Figures, Sum
from headroom.inspect.folder import figures_of_folder
from headroom.inspect.live import live_page
from headroom.inspect.report import report_page

__all__ = ["Figures", "Sum", "conversation_page", "figures_of_folder", "live_page", "report_page", "result_page"]
